"""Reader of collection folders for `milplib.runs`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from milplib.learn.collecting.outcome import CollectOutcome
from milplib.runs import RunContents, RunFailure

__all__ = ["COLLECTION"]


class _Collection:
    noun = "collection"
    version = 1
    task_unit = "instances"
    unit = "samples"

    def total(self, manifest: Mapping[str, Any]) -> int:
        return len(manifest["config"]["instances"])

    def unfinished(self, tasks: Sequence[Mapping[str, Any]]) -> RunContents:
        failures = tuple(
            RunFailure(
                name=str(outcome["instance"]),
                kind=str(outcome.get("failure") or _failure_kind(outcome)),
                detail=str(outcome.get("reason", "")),
            )
            for outcome in tasks
            if outcome.get("outcome") in (CollectOutcome.FAILED, CollectOutcome.UNREADABLE)
        )
        samples = sum(int(outcome.get("samples", 0)) for outcome in tasks)
        return RunContents(done=len(tasks), results=samples, failures=failures)

    def finished(self, manifest: Mapping[str, Any], folder: Path) -> RunContents:
        return self.unfinished(manifest["instances"])


def _failure_kind(outcome: Mapping[str, Any]) -> str:
    is_unread = outcome["outcome"] == CollectOutcome.UNREADABLE
    return "unreadable" if is_unread else "every episode failed"


COLLECTION = _Collection()
"""Kind of run of `milplib.learn.collect`."""
