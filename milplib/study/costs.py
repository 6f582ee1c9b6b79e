"""Costs of work, measured during runs and kept in a small file beside the study files."""

from __future__ import annotations

import os
import statistics
from dataclasses import dataclass
from pathlib import Path

from milplib.errors import OutputError, ResultsError
from milplib.files import atomic_write_json
from milplib.parsing import read_json
from milplib.study.task import Stage, Task

__all__ = ["COSTS", "Costs", "Estimate"]

COSTS = "costs.json"
"""Name of the file of costs, in the folder of the study files."""

UNITS = {
    "generate": "instance",
    "collect": "sample",
    "train": "sample seen",
    "rules": "run",
    "evaluate": "run",
    "summarise": "table",
}
"""Unit of work of each stage."""

_KEPT = 25
# Orders of magnitude in seconds, for stages without measurements.
_GUESSES = {
    "generate": 1.0,
    "collect": 4.0,
    "train": 0.01,
    "rules": 15.0,
    "evaluate": 15.0,
    "summarise": 0.0,
}
_FORMAT = "milplib-study-costs"


@dataclass(frozen=True)
class Estimate:
    """Estimated cost of a task.

    Parameters
    ----------
    seconds
        Seconds of one core.
    is_measured
        Whether tasks with the same cost key were measured. If not, the estimate is that of other
        tasks of the stage, or a guess.
    """

    seconds: float
    is_measured: bool


class Costs:
    """Latest measured seconds of one core per unit of work, by stage and cost key.

    Parameters
    ----------
    path
        File of the costs; it need not exist.

    Raises
    ------
    ResultsError
        If the file cannot be read or is damaged.

    Examples
    --------
    >>> import tempfile
    >>> from milplib.study.instances import InstanceTask
    >>> from milplib.study.study import StudyDistribution
    >>> task = InstanceTask(
    ...     of=StudyDistribution(name="CA-easy"), split="test", start=0, stop=10)
    >>> costs = Costs(Path(tempfile.mkdtemp(), "costs.json"))
    >>> costs.estimate(task)
    Estimate(seconds=10.0, is_measured=False)
    >>> costs.learn(task, seconds=5.0, units=10.0)
    >>> costs.estimate(task)
    Estimate(seconds=5.0, is_measured=True)
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._measured: dict[str, dict[str, list[float]]] = {}
        try:
            content = read_json(self._path)
            if content["format"] != _FORMAT:
                raise ValueError("it is another kind of file")
            for stage, by_key in content["seconds"].items():
                self._measured[str(stage)] = {
                    str(key): [float(value) for value in values] for key, values in by_key.items()
                }
        except FileNotFoundError:
            pass
        except OSError as error:
            raise ResultsError(f"cannot read {path}: {error.strerror or error}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ResultsError(
                f"the measured costs in {path} are damaged ({error}): remove the file; the next "
                "run writes a new one"
            ) from error

    def estimate(self, task: Task) -> Estimate:
        """Estimate the cost of a task by the median of the measurements."""
        by_key = self._measured.get(_stage(task), {})
        own = by_key.get(task.cost_key)
        if own:
            return Estimate(task.units * statistics.median(own), True)
        medians = {key: statistics.median(values) for key, values in by_key.items() if values}
        # Prefer the same distribution under another setting, or the same model.
        near = [m for key, m in medians.items() if _first(key) == _first(task.cost_key)]
        others = near or list(medians.values())
        each = statistics.median(others) if others else _GUESSES[task.stage]
        return Estimate(task.units * each, not task.units)

    def learn(self, task: Task, *, seconds: float, units: float) -> None:
        """Add the measured cost of a task.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        by_key = self._measured.setdefault(_stage(task), {})
        values = [*by_key.get(task.cost_key, ()), float(f"{seconds / units:.3g}")]
        by_key[task.cost_key] = values[-_KEPT:]
        atomic_write_json(self._path, {"format": _FORMAT, "seconds": self._measured})

    def check(self) -> None:
        """Check that the file can be written.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        if not os.access(self._path.parent, os.W_OK):
            raise OutputError(f"cannot write {self._path}: no permission")


def _first(key: str) -> str:
    return key.split(" ")[0]


def _stage(task: Task) -> str:
    """Return the stage under which a task is measured; runs of both stages count as one."""
    return Stage.EVALUATE if task.stage is Stage.RULES else task.stage
