"""Temporary files that belong to the process that writes them."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["is_leftover", "remove_leftovers", "temporary_file"]

_TEMPORARY = ".milplib-tmp"
_LONGEST_PART = 100  # bytes of a file's name in that of its temporary file


@contextmanager
def temporary_file(folder: Path, name: str, *, suffix: str = "") -> Iterator[Path]:
    """Create an empty file beside its final place; remove it if it is still there in the end.

    The file is locked until then: `remove_leftovers` leaves it alone as long as its process lives.

    Parameters
    ----------
    folder
        Folder of the file.
    name
        Final name of the file.
    suffix
        End of the temporary name.

    Raises
    ------
    OSError
        If the file cannot be created.

    Examples
    --------
    >>> with temporary_file(Path(tempfile.mkdtemp()), "a.lp", suffix=".lp") as path:
    ...     remove_leftovers(path.parent)
    ...     path.exists(), path.suffix
    (True, '.lp')
    """
    handle, path = _created(folder, name, suffix)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)  # releases the lock


def _created(folder: Path, name: str, suffix: str) -> tuple[int, Path]:
    part = os.fsdecode(os.fsencode(name)[:_LONGEST_PART])
    while True:
        handle, path = tempfile.mkstemp(prefix=f".{part}.", suffix=_TEMPORARY + suffix, dir=folder)
        with suppress(OSError):  # a file system without locks: nobody can take it for a leftover
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # mkstemp makes the file private; set the permissions that open() would set
        mask = os.umask(0)
        os.umask(mask)
        os.fchmod(handle, 0o666 & ~mask)
        if os.fstat(handle).st_nlink:
            return handle, Path(path)
        os.close(handle)  # another process took it for a leftover before it was locked


def is_leftover(path: Path) -> bool:
    """Return whether a file is a temporary file of milplib by its name."""
    return path.name.startswith(".") and _TEMPORARY in path.name


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of processes that have ended from a folder.

    Files that other processes are writing stay. So do those of which this cannot be known: of
    another user, or on a file system without locks.
    """
    for path in filter(is_leftover, list(folder.iterdir())):
        with suppress(OSError):
            _remove_if_left(path)


def _remove_if_left(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(handle), os.lstat(path)):
            path.unlink()
    finally:
        os.close(handle)
