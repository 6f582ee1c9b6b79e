"""Central directories of zip archives in which single entries are damaged."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import IO, BinaryIO

__all__ = ["MendedArchive", "with_readable_entries"]

_END = b"PK\x05\x06"
_END_SIZE = 22
_LONGEST_COMMENT = 0xFFFF
_ENTRY = struct.Struct("<4s6H3L5H2L")  # of the central directory
_ENTRY_SIGNATURE = b"PK\x01\x02"
_VERSION_AT, _FLAGS_AT, _LOCAL_FLAGS_AT = 6, 8, 6
_LARGEST_VERSION = 63  # that zipfile takes
_UTF8_NAME = 0x800


class MendedArchive:
    """Bytes of an archive with some replaced, as far as `zipfile` needs a file.

    Parameters
    ----------
    stream
        The archive.
    replaced
        Bytes by position.
    """

    def __init__(self, stream: BinaryIO, replaced: Mapping[int, bytes]) -> None:
        self._stream, self._replaced = stream, replaced

    def read(self, size: int = -1) -> bytes:
        """Read bytes."""
        begin = self._stream.tell()
        content = self._stream.read(size)
        for at, value in self._replaced.items():
            if begin <= at and at + len(value) <= begin + len(content):
                at -= begin
                content = content[:at] + value + content[at + len(value) :]
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a position."""
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._stream.tell()

    def seekable(self) -> bool:
        """Return True."""
        return True

    def close(self) -> None:
        """Close the archive."""
        self._stream.close()


def with_readable_entries(stream: BinaryIO) -> IO[bytes]:
    """Return an archive that `zipfile` opens though the entry of a single file is damaged.

    `zipfile` refuses an archive if a name that is declared as UTF-8 is not, if an entry needs an
    unknown version, or if its extra field is damaged. Here such a name counts as undeclared, and
    the rest is found, or not, when the file is read.
    """
    replaced = {}
    begin, first, directory = _directory(stream)
    at = 0
    while directory[at : at + 4] == _ENTRY_SIGNATURE and at + _ENTRY.size <= len(directory):
        fields = _ENTRY.unpack_from(directory, at)
        version, flags = fields[2], fields[3]
        name_size, extra_size, comment_size = fields[10:13]
        name_at = at + _ENTRY.size
        extra = directory[name_at + name_size : name_at + name_size + extra_size]
        if flags & _UTF8_NAME and not _is_utf8(directory[name_at : name_at + name_size]):
            mended = struct.pack("<H", flags & ~_UTF8_NAME)
            replaced[begin + at + _FLAGS_AT] = mended
            replaced[first + fields[16] + _LOCAL_FLAGS_AT] = mended
        if version & 0xFF > _LARGEST_VERSION or version > 0xFF:
            replaced[begin + at + _VERSION_AT] = struct.pack("<H", _LARGEST_VERSION)
        if not _is_whole(extra):
            skipped = struct.pack("<HH", 0xFFFF, len(extra) - 4)
            replaced[begin + name_at + name_size] = skipped
        at = name_at + name_size + extra_size + comment_size
    stream.seek(0)
    # zipfile needs no more than the methods above.
    return MendedArchive(stream, replaced) if replaced else stream  # type: ignore[return-value]


def _directory(stream: BinaryIO) -> tuple[int, int, bytes]:
    """Return the positions of the central directory and of the archive, and the directory.

    The directory is empty if it is not found.
    """
    size = stream.seek(0, 2)
    tail_at = max(size - _END_SIZE - _LONGEST_COMMENT, 0)
    stream.seek(tail_at)
    tail = stream.read()
    found = tail.rfind(_END)
    if found < 0 or len(tail) - found < _END_SIZE:
        return 0, 0, b""
    length, offset = struct.unpack_from("<2L", tail, found + 12)
    begin = tail_at + found - length
    if begin < 0:  # damaged, or of the format for more than 4 GB
        return 0, 0, b""
    stream.seek(begin)
    return begin, begin - offset, stream.read(length)


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_whole(extra: bytes) -> bool:
    """Whether an extra field consists of whole records, as far as zipfile reads it."""
    at = 0
    while at + 4 <= len(extra):
        at += 4 + int.from_bytes(extra[at + 2 : at + 4], "little")
    return at <= len(extra)
