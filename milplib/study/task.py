"""Tasks of a study, addressed by the content that they depend on."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from milplib.execution import Execution
from milplib.outcomes import Word

__all__ = ["STAGES", "Stage", "Task", "TaskResult", "Workspace", "differing", "digest_of"]


class Stage(Word):
    """Stage of a study."""

    GENERATE = "generate"
    COLLECT = "collect"
    TRAIN = "train"
    RULES = "rules"
    """The choice of the best SCIP rule."""
    EVALUATE = "evaluate"
    SUMMARISE = "summarise"


STAGES = tuple(Stage)
"""Stages of a study, in order."""

# Addresses must not change, so the stage keeps its earlier name in them.
_STAGE_IN_ADDRESS = {Stage.RULES: "natives"}


def digest_of(content: object) -> str:
    """Return the SHA-256 of JSON in canonical form, in hexadecimal.

    Examples
    --------
    >>> digest_of({"b": (1,), "a": 2}) == digest_of({"a": 2, "b": [1]})
    True
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def differing(options: Any, *, leave_out: tuple[str, ...] = ()) -> dict[str, object]:
    """Return the fields of a dataclass that differ from their defaults.

    With these alone in a recipe, a new option changes no address unless it is used.

    Examples
    --------
    >>> from milplib.study.study import Collection
    >>> differing(Collection(expert="fast"))
    {'expert': 'fast'}
    """
    return {
        f.name: getattr(options, f.name)
        for f in fields(options)
        if f.name not in leave_out and getattr(options, f.name) != f.default
    }


@dataclass(frozen=True, kw_only=True)
class TaskResult:
    """Result of a task, beside its files.

    Parameters
    ----------
    digest
        SHA-256 of the result, by content.
    facts
        Facts for the summary or a reader, as JSON values.
    units
        Work done, in the units of the costs; None if it yields no measurement of costs.
    """

    digest: str
    facts: Mapping[str, object] = field(default_factory=dict)
    units: float | None = None


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """Folders and execution of tasks.

    Parameters
    ----------
    data
        Folder of work that is not committed, with one folder per task, named by its address.
    results
        Folder of committed results.
    execution
        Where the parallel work of a task runs.
    facts
        Facts that the finished tasks report, by address.
    on_progress
        Called with the work done, the total work, and a short note.
    """

    data: Path
    results: Path
    execution: Execution = field(default_factory=Execution)
    facts: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    on_progress: Callable[[int, int, str], None] | None = None

    def folder(self, task: Task) -> Path:
        """Return the folder of work of a task."""
        return self.data / task.address

    def report(self, done: int, total: int, note: str = "") -> None:
        """Report the progress of a task."""
        if self.on_progress is not None:
            self.on_progress(done, total, note)


class Task(ABC):
    """Unit of work that is done and kept as a whole.

    The address of a task is the SHA-256 of everything it depends on: arguments, addresses of its
    inputs, and relevant versions. Equal work has the same address in all studies and scales.
    """

    stage: ClassVar[Stage]
    """Stage of the task."""
    version: ClassVar[int] = 1
    """Version of the work; raised whenever equal arguments yield another result."""
    is_spread: ClassVar[bool] = False
    """Whether the task spreads its work over processes; other tasks run side by side."""
    is_isolating: ClassVar[bool] = False
    """Whether each solve runs in a separate process anyway. If there are enough such tasks, they
    run side by side, too, so that none waits for the last solve of another."""
    may_lack_files: ClassVar[bool] = False
    """Whether the task counts as done without its files; they are made again if a task needs
    them."""

    @property
    @abstractmethod
    def label(self) -> str:
        """Description for people, unique within a stage."""

    @property
    def inputs(self) -> tuple[Task, ...]:
        """Tasks that must be done before."""
        return ()

    @abstractmethod
    def request(self) -> dict[str, object]:
        """Return what the study file asks for, which distinguishes the tasks of a study.

        It holds no versions of software, so that results are found under other versions.
        """

    def recipe(self) -> dict[str, object]:
        """Return all that the result depends on, beside stage, version and inputs."""
        return self.request()

    @property
    def outputs(self) -> Mapping[str, str]:
        """Outputs to commit: names in the results, by names in the folder of work."""
        return {}

    @property
    def cost_key(self) -> str:
        """Key of the cost; tasks of equal keys cost the same per unit."""
        return self.stage

    @property
    def units(self) -> float:
        """Expected amount of work, in units."""
        return 1.0

    @cached_property
    def content(self) -> dict[str, object]:
        """Content whose digest is the address."""
        return {
            "stage": _STAGE_IN_ADDRESS.get(self.stage, self.stage),
            "version": self.version,
            "inputs": [task.address for task in self.inputs],
            **self.recipe(),
        }

    @cached_property
    def address(self) -> str:
        """SHA-256 of the content."""
        return digest_of(self.content)

    @cached_property
    def _identity(self) -> str:
        inputs = [task._identity for task in self.inputs]
        return digest_of([self.stage, self.request(), inputs])

    def matches(self, content: Mapping[str, Any]) -> bool:
        """Whether recorded content has the same request, under any version of software."""
        request = json.loads(json.dumps(self.request()))
        return all(content.get(name) == value for name, value in request.items())

    @abstractmethod
    def run(self, workspace: Workspace) -> TaskResult:
        """Do or resume the task in its folder of work, which exists."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Task) and other._identity == self._identity

    def __hash__(self) -> int:
        return hash(self._identity)
