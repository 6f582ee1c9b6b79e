"""Folders that milplib writes: locked, and never reached through a link."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from milplib.errors import OutputError
from milplib.files import exclusive_lock, lock_holder, make_folder

__all__ = ["check_no_link", "split_lock"]

_log = logging.getLogger(__name__)
_held = threading.local()


def check_no_link(folder: Path, *, below: Path) -> None:
    """Check that no folder on the way from one folder to another is a link.

    Users may link the folder that they name, but not a folder in it: what milplib writes stays
    inside.

    Parameters
    ----------
    folder
        Folder to write into, which need not exist.
    below
        Folder above it, which the user named.

    Raises
    ------
    OutputError
        If there is a link.

    Examples
    --------
    >>> import tempfile
    >>> out = Path(tempfile.mkdtemp())
    >>> (out / "train").symlink_to("/tmp")
    >>> check_no_link(out / "train", below=out)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    milplib.errors.OutputError: .../train is a link, and milplib does not write through links ...
    """
    place = below
    for part in folder.relative_to(below).parts:
        place /= part
        if place.is_symlink():
            raise OutputError(
                f"{place} is a link, and milplib does not write through links below the folder "
                "that you name: remove the link, or name its target"
            )


@contextmanager
def split_lock(folder: Path) -> Iterator[None]:
    """Lock the folder of a split against writing by other processes; wait for them.

    A thread that holds the lock may take it again.
    """
    held: set[str] = _held.__dict__.setdefault("folders", set())
    key = os.path.abspath(folder)
    if key in held:
        yield
        return
    make_folder(folder.parent)
    lock = folder.parent / f".{folder.name}.lock"
    holder = lock_holder(lock)
    if holder:
        _log.info("waiting for %s, which writes %s", holder, folder)
    with exclusive_lock(lock, wait=True):
        held.add(key)
        try:
            yield
        finally:
            held.discard(key)
            # The folder may be published or compared. Who waits for the file makes another one.
            with suppress(OSError):
                lock.unlink()
