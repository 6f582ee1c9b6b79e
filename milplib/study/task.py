"""A task of a study: what it depends on, by content, and what it leaves."""

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

__all__ = ["STAGES", "Task", "TaskResult", "Workspace", "differing", "digest_of"]

STAGES = ("generate", "collect", "train", "rules", "evaluate", "summarise")
"""The stages of a study, in their order."""

# Addresses outlive words: what enters them keeps the name that it had when they were first made.
_STAGE_IN_ADDRESS = {"rules": "natives"}


def digest_of(content: object) -> str:
    """SHA-256 of JSON in its canonical form, in hexadecimal.

    Examples
    --------
    >>> digest_of({"b": (1,), "a": 2}) == digest_of({"a": 2, "b": [1]})
    True
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def differing(options: Any, *, leave_out: tuple[str, ...] = ()) -> dict[str, Any]:
    """Fields of a dataclass that differ from their defaults.

    A new option that is not used changes no address.

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
    """What a task gives beside its files.

    Parameters
    ----------
    digest
        SHA-256 of what it made, by content.
    facts
        What the summary, or a reader, wants to know: JSON values.
    units
        Work done, in the units of its costs; None if nothing was learned about it.
    """

    digest: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    units: float | None = None


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """Where a task works, and with what.

    Parameters
    ----------
    data
        Folder of work that is not committed: a folder a task, named by its address.
    results
        Folder of what is committed.
    execution
        Where its own parallel work runs.
    facts
        What the finished tasks report, by address.
    on_progress
        Called with work done, work in all, and a few words.
    """

    data: Path
    results: Path
    execution: Execution = field(default_factory=Execution)
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    on_progress: Callable[[int, int, str], None] | None = None

    def folder(self, task: Task) -> Path:
        """Folder of a task's work."""
        return self.data / task.address

    def report(self, done: int, total: int, note: str = "") -> None:
        """Report the progress of a task."""
        if self.on_progress is not None:
            self.on_progress(done, total, note)


class Task(ABC):
    """Work that is done, kept and told apart as a whole.

    Its address is the SHA-256 of all that it depends on: arguments, the addresses of its inputs,
    and versions that matter. Equal work has one address in all studies and scales.
    """

    stage: ClassVar[str]
    """One of `STAGES`."""
    version: ClassVar[int] = 1
    """Raised whenever equal arguments give something else than before."""
    is_spread: ClassVar[bool] = False
    """Whether it spreads its own work over processes; other tasks run side by side."""
    is_isolating: ClassVar[bool] = False
    """Whether it solves in processes of its own in any case: such tasks run side by side, too,
    where there are enough, and none waits for another's last solve."""
    may_lack_files: ClassVar[bool] = False
    """Whether it counts as done without its files, which are made again where a task reads them."""

    @property
    @abstractmethod
    def label(self) -> str:
        """What it is, for people; no two tasks of a stage have the same."""

    @property
    def inputs(self) -> tuple[Task, ...]:
        """Tasks that must be done before."""
        return ()

    @abstractmethod
    def request(self) -> dict[str, Any]:
        """What the study file asks for, by which tasks of a study are told apart.

        No version of software enters it, so that results are found again under another one.
        """

    def recipe(self) -> dict[str, Any]:
        """All that the result depends on, beside the stage, its version, and the inputs."""
        return self.request()

    @property
    def outputs(self) -> Mapping[str, str]:
        """Outputs to commit: their names in the folder of its work, and in the results."""
        return {}

    @property
    def cost_key(self) -> str:
        """What its cost is measured by: tasks of equal keys cost the same a unit."""
        return self.stage

    @property
    def units(self) -> float:
        """How much work it is, before it is done."""
        return 1.0

    @cached_property
    def content(self) -> dict[str, Any]:
        """What the address is the digest of."""
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
        """Whether recorded content asks for the same, on whatever software it was made."""
        request = json.loads(json.dumps(self.request()))
        return all(content.get(name) == value for name, value in request.items())

    @abstractmethod
    def run(self, workspace: Workspace) -> TaskResult:
        """Do it, or go on with it, in its folder, which is there."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Task) and other._identity == self._identity

    def __hash__(self) -> int:
        return hash(self._identity)
