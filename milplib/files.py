"""Atomic writes, lock files and output folders."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from filelock import FileLock, Timeout

from milplib.errors import NoSpaceError, OutputError
from milplib.parsing import open_regular
from milplib.temporary import is_leftover, remove_leftovers, temporary_file

__all__ = [
    "atomic_write",
    "atomic_write_json",
    "check_replaceable",
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

# A full disk, an exhausted quota, a limit on file sizes.
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_LOCK_PATIENCE = 0.3
"""Seconds to wait for a lock, because `lock_holder` holds it for a moment."""


@contextmanager
def atomic_write(path: str | os.PathLike[str], *, durable: bool = True) -> Iterator[IO[bytes]]:
    """Open a binary file that appears under its name only when it is complete.

    If writing fails, an existing file of that name stays as it was.

    Parameters
    ----------
    path
        Final path. Its folder must exist; an existing file is replaced in one step.
    durable
        Whether to sync the file to disk, so that it survives a power loss. Syncing takes
        milliseconds.

    Raises
    ------
    NoSpaceError
        If the disk or quota is full.
    OutputError
        If the file cannot be written for another reason: no folder, no permission, or the path
        is a device, a pipe or a socket.

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
    check_replaceable(path)
    try:
        with temporary_file(path.parent, path.name) as temporary:
            with open(temporary, "wb") as stream:
                yield stream
                stream.flush()
                if durable:
                    os.fsync(stream.fileno())
            os.replace(temporary, path)
        if durable:
            _sync_folder(path.parent)
    except OSError as error:
        raise _cannot("write", path, error) from error


def check_replaceable(path: Path) -> None:
    """Check that nothing but a regular file stands where a file will be written.

    Raises
    ------
    OutputError
        If the path is a device, a pipe or a socket.

    Examples
    --------
    >>> check_replaceable(Path("/dev/null"))
    Traceback (most recent call last):
    milplib.errors.OutputError: cannot write /dev/null: it is not a regular file; name another
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return  # nothing is there, or opening it tells why not
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OutputError(f"cannot write {path}: it is not a regular file; name another")


def _cannot(action: str, path: object, error: OSError) -> OutputError:
    error_type = NoSpaceError if error.errno in _NO_SPACE else OutputError
    return error_type(f"cannot {action} {path}: {error.strerror or error}")


def _sync_folder(folder: Path) -> None:
    """Make renames inside a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents if they do not exist.

    Raises
    ------
    OutputError
        If the path is a file, lies in one, or is not accessible.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise OutputError(f"{folder} is a file, or lies in one; it must be a folder") from None
    except OSError as error:
        raise _cannot("use", folder, error) from error


def check_writable(folder: Path) -> None:
    """Check that files can be created in a folder, before long work that writes one.

    Raises
    ------
    OutputError
        If the folder is missing or not writable.

    Examples
    --------
    >>> import tempfile
    >>> check_writable(Path(tempfile.mkdtemp()))
    """
    try:
        with tempfile.TemporaryFile(prefix=".milplib-", dir=folder):
            pass
    except OSError as error:
        raise _cannot("write into", folder, error) from error


def open_folder(folder: Path, *, clean: bool = True) -> bool:
    """Make an output folder if it does not exist, and return whether it holds any files.

    Parameters
    ----------
    folder
        The folder.
    clean
        Whether to remove the temporary files of killed processes.

    Returns
    -------
    bool
        Whether the folder holds files. Callers must leave files that they do not know untouched.

    Raises
    ------
    OutputError
        If the path is a file, lies in one, or is not accessible.
    """
    make_folder(folder)
    try:
        if clean:
            remove_leftovers(folder)
        return not all(map(is_leftover, folder.iterdir()))
    except OSError as error:
        raise _cannot("use", folder, error) from error


@contextmanager
def exclusive_lock(
    path: str | os.PathLike[str], *, busy: str = "", wait: bool = False
) -> Iterator[None]:
    """Hold a lock file while the block runs.

    The file names the holder. It remains after the lock is released or its process is killed, but
    then locks nothing. A forked child does not hold its parent's lock.

    Parameters
    ----------
    path
        Lock file. Its folder is made if it does not exist.
    busy
        Error message if another process holds the lock. The name of that process is appended.
    wait
        Whether to wait for the lock instead of raising an error.

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
    """Write the name of this process into a lock file."""
    with suppress(OSError):  # a full disk must not prevent the lock
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()} on {os.uname().nodename}\n".encode())


def lock_holder(path: str | os.PathLike[str]) -> str | None:
    """Return the holder of a lock file, without blocking other processes.

    Returns
    -------
    str or None
        Process and machine in words; None if the lock is free or the file cannot be read.

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
                # A shared lock, held briefly: processes that want the lock wait longer.
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return " ".join(stream.read().split()) or "another process"
    except OSError:
        pass
    return None


def atomic_write_json(path: str | os.PathLike[str], content: Any, *, durable: bool = True) -> None:
    """Write JSON with sorted keys and a final newline atomically (see `atomic_write`)."""
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
    with atomic_write(path, durable=durable) as stream:
        stream.write(text.encode() + b"\n")


def json_equal(one: object, other: object) -> bool:
    """Return whether two values are equal as JSON, where a tuple equals a list.

    Examples
    --------
    >>> json_equal({"sizes": (1, 2)}, {"sizes": [1, 2]})
    True
    """
    return bool(json.loads(json.dumps(one)) == json.loads(json.dumps(other)))


def printable_path(path: str | os.PathLike[str]) -> str:
    r"""Return a path as valid UTF-8, with other bytes escaped.

    Examples
    --------
    >>> print(printable_path(os.fsdecode(b"a/\xff.lp")))
    a/\xff.lp
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def file_sha256(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal; refuse what is no regular file."""
    with open_regular(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
