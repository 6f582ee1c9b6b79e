"""Files that are either whole or not there: written aside, synced, renamed."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from milplib.errors import OutputError

__all__ = [
    "atomic_write",
    "atomic_write_json",
    "exclusive_lock",
    "file_sha256",
    "json_equal",
    "make_folder",
    "open_folder",
    "printable_path",
]

_TEMPORARY = ".milplib-tmp"


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a binary file that takes its name only when everything was written and synced.

    Parameters
    ----------
    path
        The final name. An existing file is replaced in one step; its folder must exist.

    Raises
    ------
    OutputError
        If the file cannot be written (no folder, no permission, no space). What stood under
        the name before is then still there.

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
            os.fsync(stream.fileno())
        os.replace(temporary, path)
        temporary = None
        _sync_folder(path.parent)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


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
        raise OutputError(f"cannot use {folder}: {error.strerror or error}") from error


def open_folder(folder: Path) -> bool:
    """Make an output folder if need be, and tell whether it holds anything.

    What `atomic_write` left there when its process was killed is removed.

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
        for leftover in folder.glob(f".*{_TEMPORARY}"):
            leftover.unlink(missing_ok=True)
        return any(folder.iterdir())
    except OSError as error:
        raise OutputError(f"cannot use {folder}: {error.strerror or error}") from error


@contextmanager
def exclusive_lock(
    path: str | os.PathLike[str], *, busy: str = "", wait: bool = False
) -> Iterator[None]:
    """Hold a lock file while the block runs; its process's end frees it, too.

    Parameters
    ----------
    path
        The file; it stays when the lock is given back.
    busy
        What to say if another process holds the lock.
    wait
        Wait for the other process instead.

    Raises
    ------
    OutputError
        If another process holds it, and this one does not wait; or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> path = tempfile.mkdtemp() + "/lock"
    >>> with exclusive_lock(path, busy="one at a time"):
    ...     with exclusive_lock(path, busy="one at a time"):
    ...         pass
    Traceback (most recent call last):
    milplib.errors.OutputError: one at a time
    """
    try:
        stream = open(path, "w")  # noqa: SIM115  # closed below; errors of the block are not ours
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise OutputError(busy) from None
        yield


def atomic_write_json(path: str | os.PathLike[str], content: Any) -> None:
    """Write JSON with stable key order and a final newline, atomically (see `atomic_write`)."""
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
    with atomic_write(path) as stream:
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
