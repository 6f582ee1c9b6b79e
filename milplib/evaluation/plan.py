"""What an evaluation runs: policies × instances × seeds, in which order, with which limits."""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from milplib.errors import InstanceError, ParameterError, UnknownNameError
from milplib.evaluation.policies import EvaluatedPolicy
from milplib.files import file_sha256
from milplib.formats import SUFFIXES
from milplib.library.folder import SPLITS, InstancePlace, instance_files
from milplib.library.manifest import split_distribution
from milplib.scip.settings import MAX_SEED, SETTINGS

__all__ = ["EvaluatedInstance", "RunParameters", "evaluated_instances", "run_order", "seed_list"]

OPTIMA = "optima.csv"
"""File of known optima in a folder of instances: ``instance,status,objective``."""


@dataclass(frozen=True, kw_only=True)
class EvaluatedInstance:
    """An instance of an evaluation.

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


@dataclass(frozen=True, kw_only=True)
class RunParameters:
    """What all runs of an evaluation share.

    Parameters
    ----------
    setting
        One of `milplib.scip.SETTINGS`.
    time_limit
        Wall-clock seconds of a solve.
    grace
        Seconds beyond it after which a run is killed: for reading the instance, and for an LP or
        a policy that does not look at the clock.
    memory_limit
        Memory in MB above which a run's process is killed; no limit if None.

    Raises
    ------
    ParameterError, UnknownNameError
        If one is outside its domain.

    Examples
    --------
    >>> RunParameters(setting="default", time_limit=-1, grace=60)
    Traceback (most recent call last):
        ...
    milplib.errors.ParameterError: the time limit is -1 seconds; it must be positive and finite
    """

    setting: str
    time_limit: float
    grace: float
    memory_limit: float | None = None

    def __post_init__(self) -> None:
        if self.setting not in SETTINGS:
            raise UnknownNameError("setting", self.setting, SETTINGS)
        for name in ("time_limit", "grace"):
            value = getattr(self, name)
            # Failures count as the limit, so there must be one.
            if not 0 < value < math.inf:
                raise ParameterError(
                    f"the {name.replace('_', ' ')} is {value} seconds; it must be positive and "
                    "finite"
                )


def seed_list(seeds: int | Sequence[int]) -> tuple[int, ...]:
    """Seeds of an evaluation: a number of them, from 0 on, or themselves.

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


def run_order(
    policies: Sequence[EvaluatedPolicy], *, instance: str, seed: int
) -> list[EvaluatedPolicy]:
    """Order in which policies run on an instance with a seed: random, and the same every time.

    Examples
    --------
    >>> two = [EvaluatedPolicy(label=name, source=name, kind="rule") for name in ("a", "b")]
    >>> orders = [run_order(two, instance="x", seed=seed)[0].label for seed in range(20)]
    >>> sorted(set(orders))
    ['a', 'b']
    """
    name = int.from_bytes(hashlib.sha256(instance.encode()).digest()[:8], "big")
    random = np.random.RandomState(np.random.MT19937(np.random.SeedSequence([name, seed])))
    return [policies[place] for place in random.permutation(len(policies))]
