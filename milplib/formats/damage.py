"""Errors that name the line and the text of an instance file at which reading stops."""

from __future__ import annotations

from milplib.errors import InstanceError

__all__ = ["BLANK", "LineError", "MissingEndError", "decoded", "shown"]

_LONGEST_SHOWN = 40

# Stands for a blank inside a name of fixed-format MPS, so that lines split at blanks.
BLANK = b"\x7f"


class LineError(InstanceError):
    """A line of an instance file that cannot be read.

    Parameters
    ----------
    line
        Number of the line, from 1.
    token
        Text in the line that is wrong.
    message
        The problem and what to do.
    """

    def __init__(self, line: int, token: bytes, message: str) -> None:
        super().__init__(f"line {line} ({shown(token)}): {message}")
        self.line = line

    def __reduce__(self) -> tuple[object, ...]:
        # Worker processes pickle errors; by default a pickle repeats the call with the message.
        return InstanceError, (str(self),)


class MissingEndError(InstanceError):
    """An LP file without ``End`` that may be cut off.

    Parameters
    ----------
    message
        What is missing.
    plausible
        Whether the file ends in a list of integer columns, all others have bounds and the listed
        ones have none. Published facility locations are of this form, and so may be a file that is
        cut off before another list.
    """

    def __init__(self, message: str, *, plausible: bool = False) -> None:
        super().__init__(message)
        self.plausible = plausible


def shown(token: bytes) -> str:
    r"""Shorten and escape a piece of a file for an error message.

    Examples
    --------
    >>> shown(b"2,5"), shown(b"tab\there")
    ("'2,5'", "'tab\\there'")
    """
    text = token.replace(BLANK, b" ").decode(errors="backslashreplace")
    return repr(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…")


def decoded(names: list[bytes]) -> tuple[str, ...]:
    r"""Return names as text.

    Raises
    ------
    InstanceError
        If a name is not encoded in UTF-8.

    Examples
    --------
    >>> decoded([b"x1", b"gr\xc3\xb6\xc3\x9fe"])
    ('x1', 'größe')
    """
    joined = b"\n".join(names).replace(BLANK, b" ")
    try:
        return tuple(joined.decode().split("\n")) if names else ()
    except UnicodeDecodeError as error:
        raise InstanceError(
            f"a name is not encoded in UTF-8 ({error.reason}); convert the file's encoding"
        ) from error
