"""A piece of a study's work: what it depends on, by content, and what it leaves."""

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

__all__ = ["STAGES", "Bench", "Made", "Piece", "differing", "digest_of"]

STAGES = ("generate", "collect", "train", "natives", "evaluate", "summarise")
"""The stages of a study, in their order."""


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
    """Fields of a dataclass that have not their default.

    So that an option that is new, and not used, changes no address.

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
class Made:
    """What a piece gave, beside its files.

    Parameters
    ----------
    digest
        SHA-256 of what it made, by content.
    facts
        What the summary, or a reader, wants to know: JSON values.
    units
        How much work it was, in the units of its costs; None where nothing was learned about it.
    """

    digest: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    units: float | None = None


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Where a piece works, and with what.

    Parameters
    ----------
    data
        Folder of what is not committed: a folder a piece, named by its address.
    results
        Folder of what is committed.
    execution
        Where its tasks run.
    facts
        What the pieces that are done say of themselves, by address.
    on_progress
        Called with work done, work in all, and a few words.
    """

    data: Path
    results: Path
    execution: Execution = field(default_factory=Execution)
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    on_progress: Callable[[int, int, str], None] | None = None

    def folder(self, piece: Piece) -> Path:
        """Folder of a piece's work."""
        return self.data / piece.address

    def say(self, done: int, total: int, note: str = "") -> None:
        """Tell how far a piece is."""
        if self.on_progress is not None:
            self.on_progress(done, total, note)


class Piece(ABC):
    """A piece of work that is done, kept and told apart as a whole.

    Its address is the SHA-256 of all that it depends on: arguments, the addresses of its inputs,
    and versions that matter. So equal work has one address in all studies and scales.
    """

    stage: ClassVar[str]
    """One of `STAGES`."""
    version: ClassVar[int] = 1
    """Raised whenever equal arguments give something else than before."""
    is_spread: ClassVar[bool] = False
    """Whether it spreads its own tasks over processes; others run side by side."""
    is_isolating: ClassVar[bool] = False
    """Whether it gives every task a process of its own in any case: such pieces run side by side,
    too, where there are enough, and none waits for another's last task."""

    @property
    @abstractmethod
    def label(self) -> str:
        """What it is, for people; no two pieces of a stage have the same."""

    @property
    def inputs(self) -> tuple[Piece, ...]:
        """Pieces that must be there before."""
        return ()

    @abstractmethod
    def recipe(self) -> dict[str, Any]:
        """All that the result depends on, beside the stage, its version, and the inputs."""

    @property
    def outputs(self) -> Mapping[str, str]:
        """Files to commit: their names in the folder of its work, and in that of the results."""
        return {}

    @property
    def cost_key(self) -> str:
        """What its cost is measured by: pieces of equal keys cost the same a unit."""
        return self.stage

    @property
    def units(self) -> float:
        """How much work it is, before it is done."""
        return 1.0

    @cached_property
    def content(self) -> dict[str, Any]:
        """What the address is the digest of."""
        return {
            "stage": self.stage,
            "version": self.version,
            "inputs": [piece.address for piece in self.inputs],
            **self.recipe(),
        }

    @cached_property
    def address(self) -> str:
        """SHA-256 of the content."""
        return digest_of(self.content)

    @abstractmethod
    def work(self, bench: Bench) -> Made:
        """Do it, or go on with it, in its folder, which is there."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Piece) and other.address == self.address

    def __hash__(self) -> int:
        return hash(self.address)
