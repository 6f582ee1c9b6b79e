"""What work costs: measured by the runs themselves, kept in a small file beside the studies."""

from __future__ import annotations

import json
import os
import statistics
from dataclasses import dataclass
from pathlib import Path

from milplib.errors import OutputError, ResultsError
from milplib.files import atomic_write_json
from milplib.study.task import Task

__all__ = ["COSTS", "Costs", "Estimate"]

COSTS = "costs.json"
"""Name of the file, in the folder of the study files."""

UNITS = {
    "generate": "instance",
    "collect": "sample",
    "train": "sample seen",
    "rules": "run",
    "evaluate": "run",
    "summarise": "table",
}
"""What a unit of work is, by stage."""

_KEPT = 25
# Without any measurement of a stage: orders of magnitude, said to be guessed.
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
    """What a task will cost.

    Parameters
    ----------
    seconds
        Of one core.
    is_measured
        Whether tasks of its very kind were measured; if not, others of its stage were, or it is
        guessed.
    """

    seconds: float
    is_measured: bool


class Costs:
    """Seconds of one core a unit of work, by stage and kind of task: the last measured ones.

    Parameters
    ----------
    path
        The file; it need not be there.

    Raises
    ------
    ResultsError
        If it is damaged.

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
            content = json.loads(self._path.read_bytes())
            if content["format"] != _FORMAT:
                raise ValueError("it is another kind of file")
            for stage, kinds in content["seconds"].items():
                self._measured[str(stage)] = {
                    str(kind): [float(value) for value in values] for kind, values in kinds.items()
                }
        except FileNotFoundError:
            pass
        except OSError as error:
            raise ResultsError(f"cannot read {path}: {error.strerror or error}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ResultsError(
                f"the measured costs in {path} are damaged ({error}): remove the file, it is "
                "written anew"
            ) from error

    def estimate(self, task: Task) -> Estimate:
        """Estimate a task by the median of what was measured."""
        kinds = self._measured.get(_stage(task), {})
        own = kinds.get(task.cost_key)
        if own:
            return Estimate(task.units * statistics.median(own), True)
        medians = {kind: statistics.median(values) for kind, values in kinds.items() if values}
        # Of the same distribution under another setting, or of the same model; else of all.
        near = [m for kind, m in medians.items() if _first(kind) == _first(task.cost_key)]
        others = near or list(medians.values())
        each = statistics.median(others) if others else _GUESSES[task.stage]
        return Estimate(task.units * each, not task.units)

    def learn(self, task: Task, *, seconds: float, units: float) -> None:
        """Add what a task took.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        kinds = self._measured.setdefault(_stage(task), {})
        values = [*kinds.get(task.cost_key, ()), float(f"{seconds / units:.3g}")]
        kinds[task.cost_key] = values[-_KEPT:]
        atomic_write_json(self._path, {"format": _FORMAT, "seconds": self._measured})

    def check(self) -> None:
        """Make sure that the file can be written.

        Raises
        ------
        OutputError
            If it cannot.
        """
        if not os.access(self._path.parent, os.W_OK):
            raise OutputError(f"cannot write {self._path}: no permission")


def _first(kind: str) -> str:
    return kind.split(" ")[0]


def _stage(task: Task) -> str:
    """What is measured together: a run is a run."""
    return "evaluate" if task.stage == "rules" else task.stage
