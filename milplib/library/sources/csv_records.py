"""Records of a CSV file as bytes, of which no more than a limit is held at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from milplib.errors import SourceError

__all__ = ["CsvRecords"]

_PIECE = 1 << 20  # bytes
_LOOK = 4096  # bytes of a line that tell whether a record begins there
_MOST_FIELDS = 1000
_END = re.compile(rb"[,\r\n]")
_QUOTE = re.compile(rb'"')
_QUOTE_OR_LINE_END = re.compile(rb'["\r\n]')
_LINE_END = re.compile(rb"[\r\n]")


class CsvRecords(Iterator["list[bytes] | str"]):
    r"""Iterator over the records of a CSV file. A malformed record is replaced by its problem.

    After a malformed record, lines are skipped up to the next one that looks like a record.
    The ``repr`` of bytes contains no line break, so a quoted field that begins like one ends with
    its line at the latest.

    Parameters
    ----------
    stream
        The file.
    field_bytes
        Maximum size of a field.

    Examples
    --------
    >>> import io
    >>> records = CsvRecords(io.BytesIO(b"a,b\n1,\"b'x\n2,\"y\nz\"\n"), field_bytes=100)
    >>> next(records)
    [b'a', b'b']
    >>> records.expect(width=2, text_at=1)
    >>> next(records), next(records)
    ('the row is cut off: its quote is not closed', [b'2', b'y\nz'])
    """

    def __init__(self, stream: BinaryIO, *, field_bytes: int) -> None:
        self._stream, self._most = stream, field_bytes
        self._held, self._at = b"", 0
        self._start: re.Pattern[bytes] | None = None
        self._width: int | None = None

    def expect(self, *, width: int, text_at: int) -> None:
        """Set the number of fields of a record, and the position of the field of long text."""
        self._width = width
        begin = rb'(?:(?:[^,"\r\n]*|"[^"\r\n]*"),){%d}(?:"(?!")|b[\'"])' % text_at
        whole = rb'[^,"\r\n]*(?:,[^,"\r\n]*){%d}(?:[\r\n]|\Z)' % (width - 1)
        self._start = re.compile(rb"%s|%s" % (begin, whole) if width > 1 else begin)

    def __next__(self) -> list[bytes] | str:
        if not self._has(1):
            raise StopIteration
        try:
            fields = self._record()
            # A line without any field counts as a blank line.
            if fields and self._width is not None and len(fields) != self._width:
                raise SourceError(f"the row has {len(fields)} fields instead of {self._width}")
        except SourceError as error:
            self._skip()
            return str(error)
        return fields

    def _record(self) -> list[bytes]:
        fields: list[bytes] = []
        problem = ""
        while True:
            field, is_whole = self._field()
            if not is_whole:
                problem = (
                    f"a field has more than {self._most / 1e6:,.0f} MB, the limit of field_bytes"
                )
            elif len(fields) >= _MOST_FIELDS:
                problem = f"the row has more than {_MOST_FIELDS} fields"
            else:
                fields.append(field)
            end = self._next()
            if end != b",":
                break
        if end == b"\r" and self._is_at(b"\n"):
            self._at += 1
        if problem:
            raise SourceError(problem)
        return [] if fields == [b""] else fields

    def _field(self) -> tuple[bytes, bool]:
        """Read a field up to its delimiter; return it, and whether it is within the limit."""
        if not self._is_at(b'"'):
            return self._until(_END, self._most)
        self._at += 1
        self._has(2)
        begins = self._held[self._at : self._at + 2]
        stop = _QUOTE_OR_LINE_END if begins in (b"b'", b'b"') else _QUOTE
        pieces: list[bytes] = []
        size, is_whole = 0, True
        while True:
            piece, fits = self._until(stop, self._most - size)
            is_whole &= fits
            size += len(piece)
            pieces.append(piece)
            end = self._next()
            if end != b'"':
                raise SourceError("the row is cut off: its quote is not closed")
            if not self._is_at(b'"'):
                break
            if not is_whole:
                pieces.clear()
            pieces.append(b'"')
            size += 1
            self._at += 1
        if self._has(1) and not self._is_at(b",", b"\r", b"\n"):
            # Perhaps this quote opened a field of the next record, whose line is read again.
            _, end, line = pieces[-1].rpartition(b"\n")
            if end:
                self._held = line + b'"' + self._held[self._at :]
                self._at = 0
            raise SourceError("the row is cut off or no CSV: text follows a closing quote")
        return b"".join(pieces), is_whole

    def _skip(self) -> None:
        """Go on to the next line that looks like a record."""
        while self._has(1):
            self._has(_LOOK)
            if self._start is None or self._start.match(self._held, self._at):
                return
            self._until(_LINE_END, 0)
            self._next()

    def _until(self, stop: re.Pattern[bytes], most: int) -> tuple[bytes, bool]:
        """Read up to a stop byte, which is left; return at most `most` bytes and if that is all.

        Of longer text, the last bytes are returned.
        """
        pieces: list[bytes] = []
        size, is_whole = 0, True
        while True:
            found = stop.search(self._held, self._at)
            end = found.start() if found else len(self._held)
            size += end - self._at
            if size > most:
                is_whole = False
                pieces.clear()
                pieces.append(self._held[max(self._at, end - _LOOK) : end])
            elif end > self._at:
                pieces.append(self._held[self._at : end])
            self._at = end
            if found or not self._has(1):
                return b"".join(pieces), is_whole

    def _is_at(self, *bytes_: bytes) -> bool:
        """Whether the next byte is one of these."""
        return self._has(1) and self._held[self._at : self._at + 1] in bytes_

    def _next(self) -> bytes:
        """Read a byte; empty at the end of the file."""
        if not self._has(1):
            return b""
        self._at += 1
        return self._held[self._at - 1 : self._at]

    def _has(self, count: int) -> bool:
        """Hold the next `count` bytes, and return whether the file has them."""
        while len(self._held) - self._at < count:
            piece = self._stream.read(_PIECE)
            if not piece:
                return False
            self._held = self._held[self._at :] + piece
            self._at = 0
        return True
