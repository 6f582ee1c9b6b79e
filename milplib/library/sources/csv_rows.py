"""CSV files of the mirror: each row holds an instance, written like a Python bytes literal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from milplib.errors import SourceError
from milplib.formats import SUFFIXES
from milplib.library.manifest import BrokenInstance
from milplib.library.sources.csv_records import CsvRecords
from milplib.library.sources.limits import SourceLimits
from milplib.library.sources.pointers import check_no_pointer
from milplib.parsing import open_regular

__all__ = ["CsvInstance", "check_header", "csv_instances", "decoded"]

_TEXT, _FORMAT = b"MILP", b"format"
_SHOWN = 40  # characters of a field in a message
_MPS = re.compile(rb"(?:\*[^\n]*\n|\s)*(?:NAME|ROWS|OBJSENSE)\b")
_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_FORMATS = {suffix.removeprefix(".") for suffix in SUFFIXES}
_ESCAPE = re.compile(rb"\\(?:([nrt'\"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))?")
_PLAIN = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"'": b"'", b'"': b'"'}
_PRINTABLE = bytes(range(0x20, 0x7F))
_NOT_ASCII = re.compile(rb"[^ -~]")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class CsvInstance:
    """A row of a CSV file of the mirror.

    Parameters
    ----------
    number
        Number of the row in the file, starting from 0.
    suffix
        Suffix of the instance's file, such as ``".lp"``.
    content
        Bytes of the instance's file.
    """

    number: int
    suffix: str
    content: bytes


def csv_instances(
    path: Path, *, limits: SourceLimits | None = None
) -> Iterator[CsvInstance | BrokenInstance]:
    r"""Read a CSV file of the mirror row by row, with one row in memory at a time.

    The column ``MILP`` holds the instance as plain text or as the ``repr`` of its bytes. The
    column ``format``, ``lp`` or ``mps``, is optional. Other columns are ignored. A row that is
    truncated, too long or cannot be decoded yields a broken instance, and reading continues after
    it.

    Parameters
    ----------
    path
        Path of the file.
    limits
        Limits; `SourceLimits.field_bytes` bounds a field.

    Raises
    ------
    SourceError
        If the file cannot be read, is a pointer of Git LFS, or has no column ``MILP``.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "train.csv"
    >>> _ = path.write_text(",MILP,format\n0,\"b'minimize OBJ: x\\nEnd'\",lp\n1,b'min\n")
    >>> first, second = csv_instances(path)
    >>> first.suffix, first.content
    ('.lp', b'minimize OBJ: x\nEnd')
    >>> second.reason
    'the row has 2 fields instead of 3'
    """
    try:
        with open_regular(path) as stream:
            yield from _instances(stream, path, limits or SourceLimits())
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror or error}") from error


def check_header(path: Path) -> None:
    """Check that a file begins like a file of the mirror.

    Raises
    ------
    SourceError
        As for `csv_instances`.
    """
    try:
        with open_regular(path) as stream:
            _columns(stream, path, SourceLimits())
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror or error}") from error


def _columns(
    stream: BinaryIO, path: Path, limits: SourceLimits
) -> tuple[CsvRecords, int, int | None]:
    """Read the first line; return the records after it and the positions of the columns."""
    begin = stream.read(1024)
    check_no_pointer(begin, str(path))
    if begin.startswith(_UTF16):
        raise SourceError(f"{path} is encoded in UTF-16; convert it to UTF-8")
    stream.seek(len(_BYTE_ORDER_MARK) if begin.startswith(_BYTE_ORDER_MARK) else 0)
    records = CsvRecords(stream, field_bytes=limits.field_bytes)
    found = next(records, [])
    columns = [] if isinstance(found, str) else [name.strip() for name in found]
    if columns.count(_TEXT) != 1:
        shown = ", ".join(map(_shown, columns[:6])) or found
        raise SourceError(
            f"{path} is no file of the mirror: expected one column '{_TEXT.decode()}' and "
            f"optionally '{_FORMAT.decode()}'; it has {shown or 'nothing'}"
        )
    at = columns.index(_TEXT)
    records.expect(width=len(columns), text_at=at)
    return records, at, columns.index(_FORMAT) if _FORMAT in columns else None


def _instances(
    stream: BinaryIO, path: Path, limits: SourceLimits
) -> Iterator[CsvInstance | BrokenInstance]:
    records, at, at_format = _columns(stream, path, limits)
    number = -1
    for row in records:
        if row == []:
            continue  # a blank line
        number += 1
        try:
            if isinstance(row, str):
                raise SourceError(row)
            content = _decoded(row[at])
            suffix = _suffix(content, row[at_format] if at_format is not None else b"")
        except SourceError as error:
            yield BrokenInstance(f"row {number} of {path.name}", str(error))
        else:
            yield CsvInstance(number, suffix, content)


def decoded(text: str) -> bytes:
    r"""Decode the text of an instance without evaluating it.

    Parameters
    ----------
    text
        The ``repr`` of bytes or of a string, or the plain text of the instance.

    Raises
    ------
    SourceError
        If the text is empty, truncated, or not valid ``repr`` output.

    Examples
    --------
    >>> decoded(r"b'max\n'"), decoded("max\n"), decoded("'max'")
    (b'max\n', b'max\n', b'max')
    """
    return _decoded(text.encode("utf-8", "surrogateescape"))


def _decoded(text: bytes) -> bytes:
    is_bytes = text[:1] == b"b"
    quote = text[1:2] if is_bytes else text[:1]
    if quote not in (b"'", b'"'):
        if not text.strip():
            raise SourceError("its text is empty")
        return text
    begin = 1 + is_bytes
    if len(text) <= begin or text[-1:] != quote:
        raise SourceError(f"its text is cut off: the closing quote {quote.decode()} is missing")
    # translate() is several times as fast as the expression, which finds the position.
    is_suspect = not is_bytes or text.translate(None, _PRINTABLE)
    if is_suspect and (foreign := (_NOT_ASCII if is_bytes else _CONTROL).search(text)):
        raise _not_written(foreign.start(), f"the byte 0x{foreign.group()[0]:02x}")
    pieces = text[begin:-1].split(rb"\\")
    at = begin
    for place, piece in enumerate(pieces):
        pieces[place] = _unescaped(piece, at, quote=quote, is_bytes=is_bytes)
        at += len(piece) + 2
    return b"\\".join(pieces)


def _unescaped(piece: bytes, at: int, *, quote: bytes, is_bytes: bool) -> bytes:
    """Replace the escapes in text without escaped backslashes, which begins at a position."""
    if piece.count(quote) > piece.count(b"\\" + quote):
        raise _not_written(at, "a quote within the text")
    # Nearly all escapes are line breaks; replace() is ten times as fast as the expression.
    plain = piece.replace(rb"\n", b"\n").replace(rb"\r", b"\r")
    if b"\\" not in plain:
        return plain

    def replaced(escape: re.Match[bytes]) -> bytes:
        character, byte, *wide = escape.groups()
        if character:
            return _PLAIN[character]
        number = next((int(digits, 16) for digits in (byte, *wide) if digits), -1)
        if number < 0 or (is_bytes and not byte):
            raise _not_written(at + escape.start(), "an escape")
        try:
            return bytes((number,)) if is_bytes else chr(number).encode()
        except (ValueError, OverflowError):  # a surrogate, or beyond Unicode
            raise _not_written(at + escape.start(), "an escape") from None

    return _ESCAPE.sub(replaced, piece)


def _not_written(at: int, what: str) -> SourceError:
    return SourceError(f"its text is not what Python writes for bytes ({what}, position {at:,})")


def _suffix(content: bytes, declared: bytes) -> str:
    name = declared.strip().lower().removeprefix(b".").decode("utf-8", "replace")
    if not name:
        name = "mps" if _MPS.match(content) else "lp"
    if content.startswith(_GZIP):
        name = f"{name.removesuffix('.gz')}.gz"
    if name not in _FORMATS:
        raise SourceError(f"its format is {_shown(declared)}, neither lp nor mps")
    return f".{name}"


def _shown(field: bytes) -> str:
    text = repr(field[: _SHOWN + 1].decode("utf-8", "backslashreplace"))
    return text if len(field) <= _SHOWN else f"{text[:_SHOWN]}…'"
