"""Folders of instance files: which files, and by what names."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from milplib.errors import InstanceError
from milplib.formats import SUFFIXES

__all__ = ["SPLITS", "InstanceFile", "instance_files"]

SPLITS = ("train", "val", "test")
"""Names of the splits, and of their folders."""


@dataclass(frozen=True)
class InstanceFile:
    """An instance file.

    Parameters
    ----------
    name
        Its name in results: the end of its path, as much of it as tells the folders apart.
    path
        Where it lies.
    """

    name: str
    path: Path


def instance_files(
    folders: Iterable[str | os.PathLike[str]], *, split: str
) -> tuple[InstanceFile, ...]:
    """List the instance files of folders.

    Parameters
    ----------
    folders
        Each a folder of instance files, or one that holds split folders.
    split
        The split folder that is taken where there are any: ``"train"``, ``"val"`` or ``"test"``.

    Returns
    -------
    tuple of InstanceFile
        Folder by folder, sorted by file name.

    Raises
    ------
    InstanceError
        If a folder is missing, is given twice, or holds no instance file.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "sc"
    >>> (folder / "train").mkdir(parents=True)
    >>> _ = (folder / "train" / "1.lp").write_text("minimize OBJ: x subject to C: x >= 1 End")
    >>> [file.name for file in instance_files([folder], split="train")]
    ['sc/train/1.lp']
    """
    roots = [Path(os.path.abspath(folder)) for folder in folders]
    # The fewest last parts of the paths by which no two folders look alike.
    depths = range(1, 1 + max((len(root.parts) for root in roots), default=1))
    tells_apart = (d for d in depths if len({root.parts[-d:] for root in roots}) == len(roots))
    depth = next(tells_apart, None)
    if depth is None:
        repeated = next(root for root in roots if roots.count(root) > 1)
        raise InstanceError(f"the folder {repeated} is given twice")
    found = []
    for root in roots:
        label = Path(*root.parts[-depth:])
        try:
            files = _files(root, split)
        except OSError as error:
            raise InstanceError(f"cannot read {root}: {error.strerror or error}") from error
        found += [InstanceFile(_printable(label / path.relative_to(root)), path) for path in files]
    return tuple(found)


def _files(root: Path, split: str) -> list[Path]:
    if not root.is_dir():
        kind = "is a file, not a folder" if root.exists() else "does not exist"
        raise InstanceError(f"the folder of instances {root} {kind}")
    folder = root / split if (root / split).is_dir() else root
    files = sorted(path for path in folder.iterdir() if is_instance_file(path))
    if not files:
        raise InstanceError(
            f"there are no instance files ({', '.join(SUFFIXES)}) in {folder}"
            + (f", and there is no folder '{split}' in it" if folder == root else "")
        )
    return files


def _printable(path: Path) -> str:
    """Write a path in UTF-8, whatever bytes its names are made of."""
    return os.fsencode(path).decode("utf-8", "backslashreplace").lstrip("/")


def is_instance_file(path: Path) -> bool:
    """Whether a path looks like an instance: visible, no folder, with the suffix of one."""
    name = path.name.lower()
    return not name.startswith(".") and name.endswith(tuple(SUFFIXES)) and not path.is_dir()
