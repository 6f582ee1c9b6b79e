"""Progress of an evaluation."""

from __future__ import annotations

from dataclasses import dataclass

from milplib.progress import Steps

__all__ = ["EvaluationProgress"]


@dataclass(frozen=True)
class EvaluationProgress:
    """Progress of an evaluation: finished runs, all runs, and failed ones among the finished."""

    done: int
    total: int
    failed: int

    def steps(self) -> Steps:
        """Describe the progress for `milplib.progress.showing_progress`."""
        return self.done, self.total, f"{self.failed} failed" if self.failed else ""
