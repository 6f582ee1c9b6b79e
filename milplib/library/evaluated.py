"""Instances and seeds of an evaluation or a measurement."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from pathlib import Path
from typing import TypedDict

import numpy as np

from milplib.arguments import given, listed
from milplib.errors import InstanceError, ParameterError
from milplib.execution.isolated_solve import read_unchanged
from milplib.formats import SUFFIXES
from milplib.instance import Instance
from milplib.library.folder import SPLITS, InstancePlace, instance_files
from milplib.library.manifest import split_distribution
from milplib.parsing import ParseError, parse_csv, parse_number, read_regular
from milplib.scip.settings import MAX_SEED

__all__ = ["MAX_SEEDS", "EvaluatedInstance", "evaluated_instances", "seed_list"]

MAX_SEEDS = 10_000
"""Largest number of seeds that a number may stand for."""

OPTIMA = "optima.csv"
"""File of known optima in a folder of instances: ``instance,status,objective``."""


class InstanceEntry(TypedDict):
    """Entry of an instance in a manifest of results."""

    name: str
    distribution: str
    sha256: str
    known_status: str
    known_objective: float | None


@dataclass(frozen=True, kw_only=True)
class EvaluatedInstance:
    """An instance of an evaluation or a measurement.

    Parameters
    ----------
    name, path
        Name in the results, and path of the file.
    distribution
        Distribution in the manifest of its folder, or the folder's name.
    sha256
        SHA-256 of the file, or the content hash of an instance in memory; ``"unreadable"`` if the
        file cannot be read.
    known_status, known_objective
        Status and optimum in ``optima.csv`` of its folder; empty and None if not listed.
    instance
        The instance itself, if it is in memory and in no file.
    """

    name: str
    path: Path
    distribution: str
    sha256: str
    known_status: str = ""
    known_objective: float | None = None
    instance: Instance | None = field(default=None, compare=False, repr=False)

    def read(self, *, since: str) -> Instance:
        """Read the instance, and check that its file has not changed since it was listed.

        Raises
        ------
        InstanceError
            If the file cannot be read or has changed.
        """
        if self.instance is not None:
            return self.instance
        return read_unchanged(self.path, sha256=self.sha256, since=since)

    def as_json(self) -> InstanceEntry:
        """Return the entry of the manifest, which leaves out the path."""
        return {
            "name": self.name,
            "distribution": self.distribution,
            "sha256": self.sha256,
            "known_status": self.known_status,
            "known_objective": self.known_objective,
        }


def seed_list(seeds: int | Sequence[int]) -> tuple[int, ...]:
    """List the seeds of an evaluation.

    Parameters
    ----------
    seeds
        Number of seeds, starting from 0, or the seeds themselves.

    Raises
    ------
    ParameterError
        If there are no seeds or too many, a seed occurs twice, or a seed is outside SCIP's range.

    Examples
    --------
    >>> seed_list(3), seed_list([7, 5])
    ((0, 1, 2), (7, 5))
    """
    if isinstance(seeds, int | np.integer) and not isinstance(seeds, bool):
        if seeds < 1:
            raise ParameterError(f"the number of seeds is {seeds}; it must be at least 1")
        if seeds > MAX_SEEDS:
            raise ParameterError(f"the number of seeds is {seeds}; it must be at most {MAX_SEEDS}")
        return tuple(range(int(seeds)))
    numbers = listed(seeds, "seeds")
    if not all(isinstance(s, Integral) and not isinstance(s, bool) for s in numbers):
        raise ParameterError(f"the seeds are {given(numbers)}; each must be an integer")
    chosen = tuple(map(int, numbers))
    if not chosen or len(set(chosen)) < len(chosen):
        raise ParameterError(f"the seeds are {list(chosen)}; give at least one, none twice")
    for seed in chosen:
        if not 0 <= seed <= MAX_SEED:
            raise ParameterError(f"the SCIP seed is {seed}; it must be between 0 and {MAX_SEED}")
    return chosen


def evaluated_instances(
    folders: InstancePlace | Iterable[InstancePlace], *, split: str = "test"
) -> tuple[EvaluatedInstance, ...]:
    """List the instances of folders and splits.

    Parameters
    ----------
    folders
        Folders of instance files, folders with split folders, splits, distributions, or instances.
    split
        Split to use of a distribution or a folder with split folders.

    Raises
    ------
    InstanceError
        If a folder is missing, is given twice, holds no instance file, or has a damaged
        ``optima.csv``.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "tiny"
    >>> folder.mkdir()
    >>> _ = (folder / "a.lp").write_text("minimize OBJ: x subject to C: x >= 1 End")
    >>> [(instance.name, instance.distribution) for instance in evaluated_instances([folder])]
    [('tiny/a.lp', 'tiny')]
    """
    instances = []
    distributions: dict[Path, str] = {}
    optima: dict[Path, dict[str, tuple[str, float | None]]] = {}
    for file in instance_files(folders, split=split):
        folder = file.path.parent
        if file.instance is not None:
            instances.append(
                EvaluatedInstance(
                    name=file.name,
                    path=file.path,
                    distribution=file.distribution,
                    sha256=file.checksum(),
                    instance=file.instance,
                )
            )
            continue
        if folder not in distributions:
            distributions[folder] = split_distribution(folder) or _folder_label(file.name)
            optima[folder] = _known_optima(folder / OPTIMA)
        status, objective = optima[folder].get(_stem(file.path.name), ("", None))
        instances.append(
            EvaluatedInstance(
                name=file.name,
                path=file.path,
                distribution=file.distribution or distributions[folder],
                sha256=file.checksum(),
                known_status=status,
                known_objective=objective,
            )
        )
    return tuple(instances)


def _folder_label(name: str) -> str:
    """Return the folder's part of an instance's name, without the split."""
    parts = name.split("/")[:-1]
    if len(parts) > 1 and parts[-1] in SPLITS:
        parts = parts[:-1]
    return "/".join(parts)


def _stem(name: str) -> str:
    suffix = next((s for s in sorted(SUFFIXES, key=len)[::-1] if name.lower().endswith(s)), "")
    return name[: len(name) - len(suffix)]


def _known_optima(path: Path) -> dict[str, tuple[str, float | None]]:
    try:
        rows = parse_csv(read_regular(path))
    except FileNotFoundError:
        return {}
    except (OSError, ParseError) as error:
        raise InstanceError(f"cannot read the known optima in {path}: {error}") from error
    known: dict[str, tuple[str, float | None]] = {}
    for line, row in enumerate(rows, start=2):
        try:
            value = parse_number(row["objective"]) if row["objective"] else None
            if value is not None and not math.isfinite(value):
                raise ValueError(f"the objective is {value}")
            if row["instance"] in known:
                raise ValueError(f"the instance {row['instance']!r} stands there twice")
            known[row["instance"]] = (row["status"], value)
        except (KeyError, TypeError, ValueError) as error:
            raise InstanceError(
                f"{path}, line {line}: expected 'instance,status,objective': {error}"
            ) from error
    return known
