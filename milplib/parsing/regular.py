"""Reading of regular files, without waiting for pipes or devices."""

from __future__ import annotations

import errno
import io
import os
import stat

from milplib.parsing.limits import MAX_BYTES, ParseError

__all__ = ["file_kind", "open_regular", "read_regular"]

_KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a link",
}


def file_kind(mode: int) -> str:
    """Return what a file is that is no regular file; empty if it is one.

    Examples
    --------
    >>> file_kind(0o020666), file_kind(0o100644)
    ('a device', '')
    """
    return _KINDS.get(stat.S_IFMT(mode), "")


def open_regular(path: str | os.PathLike[str]) -> io.BufferedReader:
    """Open a regular file for reading; a FIFO, socket or device is refused without waiting for it.

    Raises
    ------
    OSError
        If the file cannot be opened, or is not a regular file.

    Examples
    --------
    >>> open_regular("/dev/null")
    Traceback (most recent call last):
    OSError: [Errno 22] it is a device, not a regular file: '/dev/null'
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except ValueError as error:  # a null character in the name
        raise FileNotFoundError(errno.ENOENT, str(error), os.fspath(path)) from error
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISDIR(mode):
        os.close(descriptor)
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if kind := file_kind(mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, f"it is {kind}, not a regular file", os.fspath(path))
    return open(descriptor, "rb")


def read_regular(path: str | os.PathLike[str], *, limit: int = MAX_BYTES) -> bytes:
    """Read a regular file; see `open_regular`.

    Raises
    ------
    OSError
        If the file cannot be opened or read, or is not a regular file.
    ParseError
        If the file is larger than `limit` bytes.

    Examples
    --------
    >>> read_regular("/dev/null")
    Traceback (most recent call last):
    OSError: [Errno 22] it is a device, not a regular file: '/dev/null'
    """
    with open_regular(path) as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise ParseError(f"it has more than {limit >> 10} KB, the limit of such a file")
    return content
