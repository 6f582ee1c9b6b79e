"""Checks that an instance file is complete, before SCIP reads it.

SCIP's readers accept many damaged LP files: an empty file, a file that is cut off between two rows
or inside a list of names, and a file whose objective section begins with an unknown word. In an MPS
file, a row without a name ends the process. These checks stream the file once, and an LP file
without a final ``End`` twice.
"""

from __future__ import annotations

import gzip
import re
import stat
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from milplib.errors import InstanceError
from milplib.formats.lp_words import (
    BOUNDS,
    CONSTRAINTS,
    FOREIGN,
    INTEGRALITY,
    OBJECTIVE,
    SECTIONS,
)
from milplib.formats.suffixes import file_format, is_compressed
from milplib.instance import Instance

__all__ = ["OpenList", "check_file", "check_open_list"]

# Length of the word buffers of SCIP's LP reader.
_LONGEST_WORD = 65_535
_LP_OPERATORS = re.compile(rb"[\s+\-:<>=\[\]*^]+")

# SCIP reads section keywords anywhere, but known files put each on a line of its own.
_LONGEST_SECTION_LINE = 32

# SCIP's MPS reader assumes fixed format until a line has text in one of these columns (from 0).
_MPS_FIXED_BLANKS = (12, 13, 22, 23, 36, 37, 38, 47, 48, 61, 62, 63)
_MPS_ROW_SECTIONS = (b"ROWS", b"USERCUTS", b"LAZYCONS")
_MPS_FOREIGN = {
    b"SOS": "special ordered sets",
    b"QUADOBJ": "a quadratic objective",
    b"QSECTION": "a quadratic objective",
    b"QMATRIX": "a quadratic objective",
    b"QCMATRIX": "quadratic constraints",
    b"CSECTION": "conic constraints",
    b"INDICATORS": "indicator constraints",
    b"GENCONS": "general constraints",
    b"PWLOBJ": "a piecewise linear objective",
}


@dataclass(frozen=True)
class OpenList:
    """List of integer variables at the end of an LP file without ``End``."""

    section: str
    names: tuple[str, ...]


@contextmanager
def _stream(path: Path) -> Iterator[Iterable[bytes]]:
    """Open a file for reading line by line, decompressed if need be."""
    try:
        with gzip.open(path) if is_compressed(path) else path.open("rb") as stream:
            yield stream
    except (EOFError, zlib.error) as error:
        raise InstanceError(
            f"cannot read {path}: the compressed file is cut off or damaged ({error}); "
            "get or write it again"
        ) from error
    except gzip.BadGzipFile as error:
        raise InstanceError(
            f"cannot read {path}: its name ends in .gz, but it is not compressed by gzip, "
            f"or only in part ({error}); rename it, or get or write it again"
        ) from error
    except OSError as error:
        raise InstanceError(f"cannot read {path}: {error.strerror or error}") from error


def check_file(path: Path) -> OpenList | None:
    """Check that an instance file is complete, as far as possible without parsing it.

    Parameters
    ----------
    path
        Path that ends in one of `milplib.formats.SUFFIXES`.

    Returns
    -------
    OpenList or None
        List of integer variables, for `check_open_list`, if an LP file ends in such a list
        instead of ``End``, as the published files of learn2branch do.

    Raises
    ------
    InstanceError
        If the file is missing, not a file, not readable, empty, binary or cut off, or if it
        declares sections that a mixed-integer linear program does not have.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise InstanceError(f"cannot read {path}: there is no such file") from None
    except OSError as error:  # no permission for a parent folder, or a name that is too long
        raise InstanceError(f"cannot read {path}: {error.strerror or error}") from error
    if not stat.S_ISREG(mode):
        actual = "a folder" if path.is_dir() else "not a regular file"
        raise InstanceError(f"cannot read {path}: it is {actual}, expected an instance file")
    with _stream(path) as stream:
        if file_format(path) == "mps":
            _check_mps(stream, path)
            return None
        last_word, ends_in_newline = _check_lp(stream, path)
    if last_word == b"end":
        return None
    with _stream(path) as stream:
        return _check_lp_ending(stream, path, ends_in_newline)


def _text_lines(stream: Iterable[bytes], path: Path) -> Iterator[bytes]:
    """Yield the lines of a file; raise an error if it is empty or holds zero bytes."""
    line = None
    for line in stream:
        if b"\0" in line:
            raise InstanceError(
                f"cannot read {path}: it holds binary data, an instance file is plain text"
                + ("" if is_compressed(path) else " (if it is compressed, name it .gz)")
            )
        yield line
    if line is None:
        raise InstanceError(f"cannot read {path}: the file is empty")


def _check_mps(stream: Iterable[bytes], path: Path) -> None:
    section = b""
    free_format = False
    lines = _text_lines(stream, path)
    for number, line in enumerate(lines, start=1):
        is_data = line[:1] in b" \t\r\n"
        if line.startswith(b"*") or (is_data and section not in _MPS_ROW_SECTIONS):
            continue
        words = line.split()
        if not words:
            continue
        if not is_data:
            section = words[0]
            if section == b"ENDATA":
                for _ in lines:
                    pass  # read to the end, so that gzip verifies its checksum
                return
            if section in _MPS_FOREIGN:
                raise _foreign(path, number, section, _MPS_FOREIGN[section])
            continue
        free_format |= any(line[at : at + 1].strip() for at in _MPS_FIXED_BLANKS)
        if not free_format:
            words = _fixed_format_words(line)
        if len(words) == 1 or words[1].startswith(b"$"):  # a dollar sign begins a comment
            # SCIP's reader would end the process at such a line.
            raise InstanceError(
                f"cannot read {path}: line {number} ({_shown(line.strip())}) in the section "
                f"{section.decode()} must be the sense and the name of a row, after one blank"
            )
    raise InstanceError(
        f"cannot read {path}: it has no line ENDATA, so it is cut off or no MPS file; "
        "get or write it again"
    )


def _fixed_format_words(line: bytes) -> list[bytes]:
    """Split a row of an MPS file in fixed format, where columns 4 to 12 (from 0) hold a name.

    A row that is indented by four blanks becomes a single word.
    """
    name = line[4:13]
    indent = name[: len(name) - len(name.lstrip())]
    return (line[:4] + indent + b"_".join(name.split()) + b" " + line[13:]).split()


def _foreign(path: Path, number: int, section: bytes, content: str) -> InstanceError:
    return InstanceError(
        f"cannot read {path}: line {number} begins the section '{section.decode()}': {content}; "
        "an instance is a mixed-integer linear program: reformulate it linearly"
    )


def _without_comments(stream: Iterable[bytes], path: Path) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(_text_lines(stream, path), start=1):
        code = line.partition(b"\\")[0] if b"\\" in line else line
        if code and not code.isspace():
            yield number, code


def _check_lp(stream: Iterable[bytes], path: Path) -> tuple[bytes, bool]:
    """Check how an LP file begins; return its last word in lower case, and if a newline follows."""
    line = b""
    first = True
    for number, line in _without_comments(stream, path):
        if first:
            first = False
            word = line.split()[0]
            if word.lower() not in OBJECTIVE:
                # SCIP treats all words before the first known section as a comment.
                raise InstanceError(
                    f"cannot read {path}: an LP file begins with 'minimize' or 'maximize', "
                    f"this one with {_shown(word)} (the LP format of lp_solve is another one: "
                    "convert the file to MPS)"
                )
        if len(line) < _LONGEST_SECTION_LINE and (
            (words := line.lower().split())[0] in FOREIGN and words[1:2] != [b":"]
        ):
            # SCIP can read some of these sections, but a syntax error in them ends the process.
            raise _foreign(path, number, words[0], FOREIGN[words[0]])
        if len(line) > _LONGEST_WORD and (max(map(len, _LP_OPERATORS.split(line))) > _LONGEST_WORD):
            raise InstanceError(
                f"cannot read {path}: it holds a word of more than {_LONGEST_WORD} characters, "
                "so it is no LP file"
            )
    if first:
        raise InstanceError(f"cannot read {path}: it holds nothing but comments")
    return line.split()[-1].lower(), line.endswith(b"\n")


def _check_lp_ending(stream: Iterable[bytes], path: Path, ends_in_newline: bool) -> OpenList | None:
    """Find the section in which an LP file without a final ``End`` ends."""
    section = b""
    had_integrality = False
    words: list[bytes] = []
    for _, line in _without_comments(stream, path):
        for word in line.split():
            lowered = word.lower()
            if lowered in SECTIONS:
                if lowered == b"end":
                    return None  # SCIP ignores the rest of the file
                section = lowered
                had_integrality |= section in INTEGRALITY
                words = []
            elif section in INTEGRALITY:
                words.append(word)
    if section in INTEGRALITY and words:
        names = tuple(word.decode(errors="replace") for word in words)
        return OpenList(section.decode(), names)
    if section in BOUNDS and had_integrality and ends_in_newline:
        return None
    place = "of constraints" if section in CONSTRAINTS else f"'{section.decode()}'"
    raise InstanceError(
        f"cannot read {path}: it is cut off: it ends in its section {place}, without 'End'; "
        "get or write it again (if it is whole, add a line 'End')"
    )


def check_open_list(path: Path, ending: OpenList, instance: Instance) -> None:
    """Check that the list of integer variables at the end of an LP file is complete.

    The list counts as cut off if a continuous column has a name like the last listed one: if
    ``x1 … x57`` are listed and ``x58`` is continuous, the rest is missing. Names are alike if they
    differ only in digits, so ``x1 … x9`` may be continuous beside a listed ``y1 … y5``.

    Raises
    ------
    InstanceError
        If the name of a continuous column is like the last listed name.
    """
    last = ending.names[-1]
    pattern = _without_digits(last)
    for position in np.flatnonzero(instance.integrality == 0).tolist():
        name = instance.column_names[position]
        if _without_digits(name) == pattern:
            raise InstanceError(
                f"cannot read {path}: it is cut off: its section '{ending.section}' ends with "
                f"'{last}' and without 'End', and '{name}' is not listed; get or write it again "
                "(if it is whole, add a line 'End')"
            )


def _without_digits(name: str) -> str:
    return re.sub(r"\d+", "#", name)


def _shown(word: bytes) -> str:
    """Shorten and escape a word of a file for an error message."""
    text = word.decode(errors="backslashreplace")
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
