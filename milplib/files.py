"""Files that are either whole or not there: written aside, synced, renamed."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from filelock import FileLock, Timeout

from milplib.errors import NoSpaceError, OutputError

__all__ = [
    "atomic_write",
    "atomic_write_json",
    "check_writable",
    "exclusive_lock",
    "file_sha256",
    "is_leftover",
    "json_equal",
    "lock_holder",
    "make_folder",
    "open_folder",
    "printable_path",
    "remove_leftovers",
]

_TEMPORARY = ".milplib-tmp"
# A full disk, a quota, a limit on the size of files.
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_LOCK_PATIENCE = 0.3
"""Seconds to try for a lock, since `lock_holder` holds it for a moment."""


@contextmanager
def atomic_write(path: str | os.PathLike[str], *, durable: bool = True) -> Iterator[IO[bytes]]:
    """Open a binary file that takes its name only when everything was written and synced.

    Parameters
    ----------
    path
        The final name. An existing file is replaced in one step; its folder must exist.
    durable
        Whether the file outlives a loss of power. Waiting for the disk takes milliseconds.

    Raises
    ------
    NoSpaceError
        If there is no room for it. What stood under the name before is then still there.
    OutputError
        If the file cannot be written for another reason (no folder, no permission); likewise.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> target = pathlib.Path(tempfile.mkdtemp()) / "greeting.txt"
    >>> with atomic_write(target) as stream:
    ...     _ = stream.write(b"hello")
    >>> target.read_bytes()
    b'hello'
    """
    path = Path(path)
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(
            prefix=f".{path.name}.", suffix=_TEMPORARY, dir=path.parent
        )
        with os.fdopen(handle, "wb") as stream:
            # mkstemp makes the file private; give it what open() would have given it
            mask = os.umask(0)
            os.umask(mask)
            os.fchmod(stream.fileno(), 0o666 & ~mask)
            yield stream
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
        os.replace(temporary, path)
        temporary = None
        if durable:
            _sync_folder(path.parent)
    except OSError as error:
        raise _cannot("write", path, error) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def _cannot(what: str, path: object, error: OSError) -> OutputError:
    error_type = NoSpaceError if error.errno in _NO_SPACE else OutputError
    return error_type(f"cannot {what} {path}: {error.strerror or error}")


def _sync_folder(folder: Path) -> None:
    """Make renames inside a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, unless it is there.

    Raises
    ------
    OutputError
        If the path is a file, lies in one, or may not be used.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise OutputError(f"{folder} is a file, or lies in one; it must be a folder") from None
    except OSError as error:
        raise _cannot("use", folder, error) from error


def check_writable(folder: Path) -> None:
    """Make sure that files can be made in a folder, before work that ends in one.

    Raises
    ------
    OutputError
        If it is not there, not ours, or read-only.

    Examples
    --------
    >>> import tempfile
    >>> check_writable(Path(tempfile.mkdtemp()))
    """
    try:
        with tempfile.TemporaryFile(prefix=".", suffix=_TEMPORARY, dir=folder):
            pass
    except OSError as error:
        raise _cannot("write into", folder, error) from error


def open_folder(folder: Path, *, clean: bool = True) -> bool:
    """Make an output folder if need be, and tell whether it holds anything.

    Parameters
    ----------
    folder
        The folder.
    clean
        Remove what `atomic_write` left there when its process was killed. Not for a folder in
        which another process may be writing.

    Returns
    -------
    bool
        Whether the folder is in use: nothing in it may be touched but what is known as ours.

    Raises
    ------
    OutputError
        If the path is a file, lies in one, or may not be used.
    """
    make_folder(folder)
    try:
        if clean:
            remove_leftovers(folder)
        return not all(map(is_leftover, folder.iterdir()))
    except OSError as error:
        raise _cannot("use", folder, error) from error


def is_leftover(path: Path) -> bool:
    """Whether a file is one of `atomic_write` that has not got its name."""
    return path.name.startswith(".") and path.name.endswith(_TEMPORARY)


def remove_leftovers(folder: Path) -> None:
    """Remove what `atomic_write` left in a folder when its process was killed."""
    for path in filter(is_leftover, list(folder.iterdir())):
        path.unlink(missing_ok=True)


@contextmanager
def exclusive_lock(
    path: str | os.PathLike[str], *, busy: str = "", wait: bool = False
) -> Iterator[None]:
    """Hold a lock file while the block runs.

    The file names the holder. It stays when the lock is released, and when its process is
    killed; such a file locks nothing. A forked child does not hold its parent's lock.

    Parameters
    ----------
    path
        The file; its folder is made if need be.
    busy
        Error message if another process holds the lock; that process is added in brackets.
    wait
        Wait for the other process instead.

    Raises
    ------
    OutputError
        If another process holds the lock and `wait` is False, or the file cannot be locked.

    Examples
    --------
    >>> import tempfile
    >>> path = tempfile.mkdtemp() + "/lock"
    >>> with exclusive_lock(path, busy="one at a time"):
    ...     with exclusive_lock(path, busy="one at a time"):  # doctest: +ELLIPSIS
    ...         pass
    Traceback (most recent call last):
    milplib.errors.OutputError: one at a time (process ... on ...)
    """
    lock = FileLock(
        path,
        timeout=-1.0 if wait else _LOCK_PATIENCE,
        poll_interval=0.02,
        fallback_to_soft=False,
        on_acquired=_name_holder,
    )
    try:
        lock.acquire()
    except Timeout:
        holder = lock_holder(path)
        raise OutputError(f"{busy} ({holder})" if holder else busy) from None
    except OSError as error:
        raise _cannot("lock", path, error) from error
    try:
        yield
    finally:
        lock.release()


def _name_holder(descriptor: int) -> None:
    """Write into a lock file that this process holds it."""
    with suppress(OSError):  # the name helps, but a full disk must not prevent the lock
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()} on {os.uname().nodename}\n".encode())


def lock_holder(path: str | os.PathLike[str]) -> str | None:
    """Tell who holds a lock file, without keeping anybody from it.

    Returns
    -------
    str or None
        Process and machine in words; None if nobody holds it, or it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> path = tempfile.mkdtemp() + "/lock"
    >>> with exclusive_lock(path):
    ...     print(lock_holder(path))  # doctest: +ELLIPSIS
    process ... on ...
    >>> lock_holder(path) is None
    True
    """
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            try:
                # Shared and for a moment: whoever wants the lock asks for longer than that.
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return " ".join(stream.read().split()) or "another process"
    except OSError:
        pass
    return None


def atomic_write_json(path: str | os.PathLike[str], content: Any, *, durable: bool = True) -> None:
    """Write JSON with stable key order and a final newline, atomically (see `atomic_write`)."""
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
    with atomic_write(path, durable=durable) as stream:
        stream.write(text.encode() + b"\n")


def json_equal(one: object, other: object) -> bool:
    """Whether two things are equal once they are written as JSON: tuples are lists then.

    Examples
    --------
    >>> json_equal({"sizes": (1, 2)}, {"sizes": [1, 2]})
    True
    """
    return bool(json.loads(json.dumps(one)) == json.loads(json.dumps(other)))


def printable_path(path: str | os.PathLike[str]) -> str:
    r"""Write a path in UTF-8, whatever bytes its names are made of.

    Examples
    --------
    >>> print(printable_path(os.fsdecode(b"a/\xff.lp")))
    a/\xff.lp
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def file_sha256(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
