"""Content that SCIP only writes to a file, read without a file on disk where possible."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

__all__ = ["written_by_scip"]


def written_by_scip(write: Callable[[str], object]) -> bytes:
    """Return what a call writes into the file whose path it gets.

    On Linux the file lies in memory, so that a full disk costs no finished solve.

    Examples
    --------
    >>> written_by_scip(lambda path: Path(path).write_text("status: optimal"))
    b'status: optimal'
    """
    try:
        descriptor = os.memfd_create("scip")
    except (AttributeError, OSError):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "written")
            write(str(path))
            return path.read_bytes()
    with open(descriptor, "r+b") as stream:
        write(f"/proc/self/fd/{descriptor}")
        stream.seek(0)
        return stream.read()
