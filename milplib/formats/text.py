"""The text of an instance file: found, decompressed within a limit, and checked to be text."""

from __future__ import annotations

import gzip
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from milplib.errors import InstanceError
from milplib.formats.suffixes import is_compressed

__all__ = ["DEFAULT_MAX_BYTES", "file_text"]

DEFAULT_MAX_BYTES = 512 << 20
"""Largest size of the text of an instance, in bytes, unless the caller allows more."""

_PIECE = 1 << 22
# Control characters but white space. Names do not hold them, and binary files do.
_CONTROL = bytes([*range(9), *range(14, 32), 127])
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def file_text(path: Path, *, max_bytes: int | None = DEFAULT_MAX_BYTES) -> bytes:
    """Return the text of an instance file, with newlines at the ends of lines.

    Parameters
    ----------
    path
        Path that ends in one of `milplib.formats.SUFFIXES`.
    max_bytes
        Largest size of the uncompressed text. ``None`` means no limit.

    Raises
    ------
    InstanceError
        If the file is missing, not a file, not readable, damaged, empty, binary or too large.
    """
    _check_regular(path)
    pieces: list[bytes] = []
    size = 0
    with _opened(path) as stream:
        while piece := stream.read(_PIECE):
            size += len(piece)
            if len(piece.translate(None, _CONTROL)) != len(piece):
                raise InstanceError(
                    f"cannot read {path}: it holds binary data, an instance file is plain text"
                    + ("" if is_compressed(path) else " (if it is compressed, name it .gz)")
                )
            if max_bytes is not None and size > max_bytes:
                raise _too_large(path, max_bytes)
            pieces.append(piece)
    text = b"".join(pieces).removeprefix(_BYTE_ORDER_MARK)
    if not text:
        raise InstanceError(f"cannot read {path}: the file is empty")
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text


def _too_large(path: Path, max_bytes: int) -> InstanceError:
    what = "it unpacks to" if is_compressed(path) else "it holds"
    return InstanceError(
        f"cannot read {path}: {what} more than max_bytes={max_bytes:,} bytes; if the instance is "
        "that large, pass a larger max_bytes to milplib.read"
    )


def _check_regular(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise InstanceError(f"cannot read {path}: there is no such file") from None
    except (OSError, ValueError) as error:  # no permission, a name too long or with a zero byte
        reason = getattr(error, "strerror", None) or error
        raise InstanceError(f"cannot read {path}: {reason}") from error
    if not stat.S_ISREG(mode):
        actual = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
        raise InstanceError(f"cannot read {path}: it is {actual}, expected an instance file")


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes] | gzip.GzipFile]:
    """Open a file for reading, decompressed if need be."""
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
