"""Folders of instance files."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from milplib.arguments import checked
from milplib.errors import InstanceError, ParameterError
from milplib.files import file_sha256, printable_path
from milplib.formats import SUFFIXES
from milplib.formats.scip_fields import is_scip_model
from milplib.instance import Instance
from milplib.library.seeds import SPLITS
from milplib.library.splits import InstanceFile, ListedFiles, Split, Splits, shuffled

__all__ = ["SPLITS", "InstancePlace", "instance_files", "shared_out"]

InstancePlace = str | os.PathLike[str] | Split | Splits | Instance | InstanceFile
"""Source of instances: a folder, a split of a distribution, a distribution, or an instance."""

_SOURCES = "a folder, a split, a distribution (milplib.load), or a milplib.Instance"


@checked
def instance_files(
    folders: InstancePlace | Iterable[InstancePlace], *, split: str
) -> tuple[InstanceFile, ...]:
    """List the instance files of folders and splits.

    Parameters
    ----------
    folders
        Folders of instance files, folders with split folders, splits, distributions, or
        instances; a single one need not be in a list.
    split
        Split to use of a distribution or a folder with split folders: ``"train"``, ``"val"`` or
        ``"test"``.

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
    ParameterError
        If an argument is no source of instances.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "sc"
    >>> (folder / "train").mkdir(parents=True)
    >>> _ = (folder / "train" / "1.lp").write_text("minimize OBJ: x subject to C: x >= 1 End")
    >>> [file.name for file in instance_files([folder], split="train")]
    ['sc/train/1.lp']
    """
    places = _listed(folders, split)
    if not places:
        raise InstanceError("there is no folder of instances")
    roots = [Path(os.path.abspath(f)) for f in places if isinstance(f, str | os.PathLike)]
    # Labels are the shortest ends of the paths that tell all folders apart.
    depths = range(1, 1 + max((len(root.parts) for root in roots), default=1))
    tells_apart = (d for d in depths if len({root.parts[-d:] for root in roots}) == len(roots))
    depth = next(tells_apart, None)
    if depth is None:
        repeated = next(root for root in roots if roots.count(root) > 1)
        raise InstanceError(f"the folder {repeated} is given twice")
    listed: list[InstanceFile] = []
    for folder in places:
        if isinstance(folder, Split):
            listed += folder
            continue
        if isinstance(folder, InstanceFile):
            listed.append(folder)
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
    listed = _told_apart(listed)
    name, times = Counter(file.name for file in listed).most_common(1)[0] if listed else ("", 0)
    if times > 1:
        raise InstanceError(f"the instance {name} is given {times} times")
    return tuple(listed)


def _listed(
    folders: InstancePlace | Iterable[InstancePlace], split: str
) -> list[str | os.PathLike[str] | Split | InstanceFile]:
    """List the sources of instances, with distributions as splits and instances as files."""
    is_one = isinstance(folders, str | os.PathLike | Split) or not isinstance(folders, Iterable)
    several: Any = folders
    given: list[Any] = [folders] if is_one else list(several)
    places: list[str | os.PathLike[str] | Split | InstanceFile] = []
    for place in given:
        if isinstance(place, str | os.PathLike | Split | InstanceFile):
            places.append(place)
        elif isinstance(place, Instance):
            places.append(InstanceFile.of(place))
        elif isinstance(place, Splits):
            places.append(place.split(split))
        else:
            is_model = is_scip_model(place)
            hint = "; milplib.Instance.from_scip converts a model" if is_model else ""
            shown = type(place).__name__
            raise ParameterError(
                f"an instance source is of the type {shown}; give {_SOURCES}{hint}"
            )
    return places


def _told_apart(files: list[InstanceFile]) -> list[InstanceFile]:
    """Add the content hash to the name of instances in memory that share one."""
    names = Counter(file.name for file in files)
    return [
        replace(file, name=f"{file.name}-{file.content_hash[:8]}")
        if file.instance is not None and names[file.name] > 1
        else file
        for file in files
    ]


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
