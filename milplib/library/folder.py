"""Folders of instance files."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from milplib.errors import InstanceError, ParameterError
from milplib.files import file_sha256, printable_path
from milplib.formats import SUFFIXES
from milplib.library.splits import InstanceFile, ListedFiles, Split, shuffled

__all__ = ["SPLITS", "InstancePlace", "instance_files", "shared_out"]

SPLITS = ("train", "val", "test")
"""Names of the splits, and of their folders."""

InstancePlace = str | os.PathLike[str] | Split
"""Source of instances: a folder, or a split of a distribution."""


def instance_files(
    folders: InstancePlace | Iterable[InstancePlace], *, split: str
) -> tuple[InstanceFile, ...]:
    """List the instance files of folders and splits.

    Parameters
    ----------
    folders
        Folders of instance files, folders with split folders, or splits; a single one need not
        be in a list.
    split
        Split to use in a folder with split folders: ``"train"``, ``"val"`` or ``"test"``.

    Returns
    -------
    tuple of InstanceFile
        In the order of `folders`. Files of a folder are sorted by name; files of a split keep
        its order.

    Raises
    ------
    InstanceError
        If there is no folder; a folder is missing, is given twice, or holds no instance file;
        or two splits share an instance.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "sc"
    >>> (folder / "train").mkdir(parents=True)
    >>> _ = (folder / "train" / "1.lp").write_text("minimize OBJ: x subject to C: x >= 1 End")
    >>> [file.name for file in instance_files([folder], split="train")]
    ['sc/train/1.lp']
    """
    folders = [folders] if isinstance(folders, str | os.PathLike | Split) else list(folders)
    if not folders:
        raise InstanceError("there is no folder of instances")
    roots = [Path(os.path.abspath(f)) for f in folders if not isinstance(f, Split)]
    # Labels are the shortest ends of the paths that tell all folders apart.
    depths = range(1, 1 + max((len(root.parts) for root in roots), default=1))
    tells_apart = (d for d in depths if len({root.parts[-d:] for root in roots}) == len(roots))
    depth = next(tells_apart, None)
    if depth is None:
        repeated = next(root for root in roots if roots.count(root) > 1)
        raise InstanceError(f"the folder {repeated} is given twice")
    listed: list[InstanceFile] = []
    for folder in folders:
        if isinstance(folder, Split):
            listed += folder
            continue
        root = Path(os.path.abspath(folder))
        label = Path(*root.parts[-depth:])
        try:
            files = _files(root, split)
        except OSError as error:
            raise InstanceError(f"cannot read {root}: {error.strerror or error}") from error
        listed += [
            InstanceFile(printable_path(label / path.relative_to(root)).lstrip("/"), path)
            for path in files
        ]
    name, times = Counter(file.name for file in listed).most_common(1)[0] if listed else ("", 0)
    if times > 1:
        raise InstanceError(f"the instance {name} is given {times} times")
    return tuple(listed)


def shared_out(
    folder: Path, *, name: str, val: float, test: float, seed: int
) -> dict[str, ListedFiles]:
    """Divide the files of a folder among splits, unless it has split folders.

    Raises
    ------
    InstanceError, ParameterError
        See `milplib.Distribution.from_folder`.
    """
    for split, share in (("val", val), ("test", test)):
        if not 0 <= share < 1:
            raise ParameterError(f"the share of {split} is {share}; it must be in [0, 1)")

    def files_of(split: str) -> list[InstanceFile]:
        return [replace(f, distribution=name) for f in instance_files([folder], split=split)]

    own = [split for split in SPLITS if (folder / split).is_dir()]
    if own:
        return {split: ListedFiles(files_of(split)) for split in own}
    files = files_of("train")
    alike: dict[str, list[InstanceFile]] = {}
    for place in shuffled(len(files), seed=seed, stream="splits"):
        alike.setdefault(file_sha256(files[place].path), []).append(files[place])
    splits: dict[str, list[InstanceFile]] = {split: [] for split in SPLITS}
    room = {"test": round(test * len(files)), "val": round(val * len(files))}
    for group in alike.values():
        split = next((part for part in room if len(splits[part]) < room[part]), "train")
        splits[split] += group
    if not splits["train"]:
        raise ParameterError(
            f"of the {len(files)} instances in {folder} none is left for training: reduce the "
            "shares of val and test"
        )
    return {
        split: ListedFiles(sorted(members, key=lambda file: file.name))
        for split, members in splits.items()
        if members
    }


def _files(root: Path, split: str) -> list[Path]:
    if not root.is_dir():
        problem = "is a file, not a folder" if root.exists() else "does not exist"
        raise InstanceError(f"the folder of instances {root} {problem}")
    folder = root / split if (root / split).is_dir() else root
    files = sorted(path for path in folder.iterdir() if is_instance_file(path))
    if not files:
        raise InstanceError(
            f"there are no instance files ({', '.join(SUFFIXES)}) in {folder}"
            + (f", and there is no folder '{split}' in it" if folder == root else "")
        )
    return files


def is_instance_file(path: Path) -> bool:
    """Whether a path names an instance: a visible file with the suffix of a known format."""
    name = path.name.lower()
    return not name.startswith(".") and name.endswith(tuple(SUFFIXES)) and not path.is_dir()
