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
    for root in roots:
        if not root.is_dir():
            kind = "is a file, not a folder" if root.exists() else "does not exist"
            raise InstanceError(f"the folder of instances {root} {kind}")
        if roots.count(root) > 1:
            raise InstanceError(f"the folder {root} is given twice")
    # The fewest last parts of the paths by which no two folders look alike.
    depth = next(
        depth
        for depth in range(1, 1 + max((len(root.parts) for root in roots), default=1))
        if len({root.parts[-depth:] for root in roots}) == len(roots)
    )
    found = []
    for root in roots:
        folder = root / split if (root / split).is_dir() else root
        files = sorted(path for path in folder.iterdir() if is_instance_file(path))
        if not files:
            raise InstanceError(
                f"there are no instance files ({', '.join(SUFFIXES)}) in {folder}"
                + (f", and there is no folder '{split}' in it" if folder == root else "")
            )
        label = Path(*root.parts[-depth:])
        found += [
            InstanceFile(str(label / path.relative_to(root)).lstrip("/"), path) for path in files
        ]
    return tuple(found)


def is_instance_file(path: Path) -> bool:
    """Whether a path is a visible file with the suffix of an instance."""
    name = path.name.lower()
    return not name.startswith(".") and name.endswith(tuple(SUFFIXES)) and path.is_file()
