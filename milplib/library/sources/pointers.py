"""Pointers of Git LFS, which stand for files in a repository."""

from __future__ import annotations

import re

from milplib.errors import SourceError

__all__ = ["check_no_pointer"]

_POINTER = re.compile(rb"version https://git-lfs\.github\.com/spec/v\d+\s")
_SIZE = re.compile(rb"^size (\d{1,18})\r?$", re.MULTILINE)


def check_no_pointer(begin: bytes, name: str) -> None:
    r"""Check that a file is not a pointer of Git LFS.

    Parameters
    ----------
    begin
        First bytes of the file.
    name
        Name of the file in the message.

    Raises
    ------
    SourceError
        If it is a pointer.

    Examples
    --------
    >>> pointer = b"version https://git-lfs.github.com/spec/v1\nsize 5"
    >>> check_no_pointer(pointer, "a.csv")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    milplib.errors.SourceError: a.csv is a pointer of Git LFS, not the file itself (5 bytes)...
    """
    if _POINTER.match(begin):
        size = _SIZE.search(begin)
        told = f" ({int(size.group(1)):,} bytes)" if size else ""
        raise SourceError(
            f"{name} is a pointer of Git LFS, not the file itself{told}: run 'git lfs pull' in "
            "its repository, or download the file"
        )
