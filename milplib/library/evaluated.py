"""The instances and seeds that policies and solvers are judged on."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from milplib.errors import InstanceError, ParameterError
from milplib.files import file_sha256
from milplib.formats import SUFFIXES
from milplib.library.folder import SPLITS, InstancePlace, instance_files
from milplib.library.manifest import split_distribution
from milplib.scip.settings import MAX_SEED

__all__ = ["EvaluatedInstance", "evaluated_instances", "seed_list"]

OPTIMA = "optima.csv"
"""File of known optima in a folder of instances: ``instance,status,objective``."""


@dataclass(frozen=True, kw_only=True)
class EvaluatedInstance:
    """An instance of an evaluation or a measurement.

    Parameters
    ----------
    name, path
        Its name in the results, and its file.
    distribution
        What it was drawn from by its folder's manifest, or the folder's name.
    sha256
        Checksum of the file; ``"unreadable"`` if it cannot be read.
    known_status, known_objective
        What ``optima.csv`` in its folder says; empty and None if it says nothing.
    """

    name: str
    path: Path
    distribution: str
    sha256: str
    known_status: str = ""
    known_objective: float | None = None

    def as_json(self) -> dict[str, str | float | None]:
        """What the manifest says about it; not where it lies."""
        return {
            "name": self.name,
            "distribution": self.distribution,
            "sha256": self.sha256,
            "known_status": self.known_status,
            "known_objective": self.known_objective,
        }


def seed_list(seeds: int | Sequence[int]) -> tuple[int, ...]:
    """List the seeds of an evaluation: a number of them, from 0 on, or themselves.

    Raises
    ------
    ParameterError
        If there are none, one occurs twice, or SCIP takes no such seed.

    Examples
    --------
    >>> seed_list(3), seed_list([7, 5])
    ((0, 1, 2), (7, 5))
    """
    if isinstance(seeds, int):
        if seeds < 1:
            raise ParameterError(f"the number of seeds is {seeds}; it must be at least 1")
        return tuple(range(seeds))
    found = tuple(int(seed) for seed in seeds)
    if not found or len(set(found)) < len(found):
        raise ParameterError(f"the seeds are {list(found)}; give at least one, none twice")
    for seed in found:
        if not 0 <= seed <= MAX_SEED:
            raise ParameterError(f"the SCIP seed is {seed}; it must be between 0 and {MAX_SEED}")
    return found


def evaluated_instances(
    folders: InstancePlace | Iterable[InstancePlace], *, split: str = "test"
) -> tuple[EvaluatedInstance, ...]:
    """List the instances of folders; of those that hold split folders, one split is taken.

    Raises
    ------
    InstanceError
        If a folder is missing, is given twice, or holds no instance file; or its ``optima.csv``
        is damaged.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "tiny"
    >>> folder.mkdir()
    >>> _ = (folder / "a.lp").write_text("minimize OBJ: x subject to C: x >= 1 End")
    >>> [(found.name, found.distribution) for found in evaluated_instances([folder])]
    [('tiny/a.lp', 'tiny')]
    """
    found = []
    distributions: dict[Path, str] = {}
    optima: dict[Path, dict[str, tuple[str, float | None]]] = {}
    for file in instance_files(folders, split=split):
        folder = file.path.parent
        if folder not in distributions:
            distributions[folder] = split_distribution(folder) or _folder_label(file.name)
            optima[folder] = _known_optima(folder / OPTIMA)
        status, objective = optima[folder].get(_stem(file.path.name), ("", None))
        found.append(
            EvaluatedInstance(
                name=file.name,
                path=file.path,
                distribution=file.distribution or distributions[folder],
                sha256=_checksum(file.path),
                known_status=status,
                known_objective=objective,
            )
        )
    return tuple(found)


def _folder_label(name: str) -> str:
    """Name of the folder of an instance by the instance's name, without the split."""
    parts = name.split("/")[:-1]
    if len(parts) > 1 and parts[-1] in SPLITS:
        parts = parts[:-1]
    return "/".join(parts)


def _stem(name: str) -> str:
    suffix = next((s for s in sorted(SUFFIXES, key=len)[::-1] if name.lower().endswith(s)), "")
    return name[: len(name) - len(suffix)]


def _checksum(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError:
        return "unreadable"


def _known_optima(path: Path) -> dict[str, tuple[str, float | None]]:
    try:
        with open(path, newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InstanceError(f"cannot read the known optima in {path}: {error}") from error
    known = {}
    for line, row in enumerate(rows, start=2):
        try:
            value = float(row["objective"]) if row["objective"] else None
            if value is not None and not math.isfinite(value):
                raise ValueError(f"the objective is {value}")
            known[row["instance"]] = (row.get("status") or "", value)
        except (KeyError, TypeError, ValueError) as error:
            raise InstanceError(
                f"{path}, line {line}: no line 'instance,status,objective': {error}"
            ) from error
    return known
