"""Kinds of runs: how each layer's tasks and results are counted from the run's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from milplib.display import Shown
from milplib.errors import ResultsError
from milplib.extensions import entry_points_of, load_extension

__all__ = ["GROUP", "RunContents", "RunFailure", "RunKind", "find_run_kind"]

GROUP = "milplib.runs"
"""Entry-point group of the kinds of runs. An entry's name is the format in the manifests."""


@dataclass(frozen=True, kw_only=True)
class RunFailure:
    """Failure in a run.

    Parameters
    ----------
    name
        Name of the instance; in an evaluation also of the policy and the seed.
    kind
        Kind of failure: ``crash``, ``out of memory``, ``hang``, ``killed``, ``unreadable``,
        ``timelimit``, …
    detail
        Description of the failure.
    """

    name: str
    kind: str
    detail: str


@dataclass(frozen=True, kw_only=True, repr=False)
class RunContents(Shown):
    """Contents of a run's folder.

    Parameters
    ----------
    done, results
        Number of finished tasks and of results (samples, runs or rows).
    failures
        Failures.
    seconds
        Seconds of work, for a run without milplib's own record; None if unknown.
    is_complete
        False if `RunKind.finished` read a run that still lacks tasks, because its manifest is in
        the same place from its beginning.
    notes
        Further lines for ``milplib status``, by name.
    """

    done: int
    results: int
    failures: tuple[RunFailure, ...]
    seconds: float | None = None
    is_complete: bool = True
    notes: Mapping[str, str] = field(default_factory=dict)


class RunKind(Protocol):
    """A kind of run, declared as an entry point of `GROUP` under its manifests' format.

    Its methods read manifests and task files as parsed JSON. A `KeyError`, `TypeError`,
    `ValueError` or `AttributeError` from them means that the file is damaged.
    """

    @property
    def noun(self) -> str:
        """Noun for such a run, such as ``"evaluation"``."""

    @property
    def version(self) -> int:
        """Format version that this kind reads; a manifest without a version has version 1."""

    @property
    def task_unit(self) -> str:
        """Plural noun for its tasks, such as ``"instances"``."""

    @property
    def unit(self) -> str:
        """Plural noun for its results, such as ``"samples"``."""

    def total(self, manifest: Mapping[str, Any]) -> int:
        """Return the number of tasks."""

    def unfinished(self, tasks: Sequence[Mapping[str, Any]]) -> RunContents:
        """Count the results of finished tasks from their files."""

    def finished(self, manifest: Mapping[str, Any], folder: Path) -> RunContents:
        """Count the results of a complete run from the files beside its manifest.

        Raises
        ------
        ResultsError
            If the results are missing or damaged.
        """


def find_run_kind(format_name: str) -> RunKind | None:
    """Load the kind of run for a manifest format; return None if no package declares it.

    Raises
    ------
    MilplibError
        If two packages declare the format, or if the kind cannot be loaded.
    ResultsError
        If the declared object is not a kind of run.

    Examples
    --------
    >>> find_run_kind("milplib-hardness").noun
    'measurement'
    >>> find_run_kind("milplib-instances") is None
    True
    """
    point = entry_points_of(GROUP).get(format_name)
    if point is None:
        return None
    kind = load_extension(GROUP, point)
    missing = [name for name in _MEMBERS if not hasattr(kind, name)]
    if missing:
        raise ResultsError(
            f"'{format_name}' of {GROUP} is not a kind of run: it has no '{missing[0]}' (see "
            "milplib.runs.RunKind)"
        )
    return kind  # type: ignore[return-value]  # checked by its members


_MEMBERS = ("noun", "version", "task_unit", "unit", "total", "unfinished", "finished")
