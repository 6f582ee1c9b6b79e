"""What the tests of a running study look at."""

from __future__ import annotations

from collections import Counter
from typing import Any

from milplib.study import (
    StudyProgress,
)
from milplib.study.plan import StudyPlan


def states(plan: StudyPlan) -> Counter[Any]:
    return Counter(planned.state for planned in plan.tasks)


def todo(plan: StudyPlan) -> Counter[Any]:
    return Counter(planned.task.stage for planned in plan.todo)


class Watch:
    """Remembers the tasks that were made."""

    def __init__(self) -> None:
        self.made: list[Any] = []

    def __call__(self, progress: StudyProgress) -> None:
        if progress.task and progress.inside == (0, 0):
            self.made.append(f"{progress.stage}: {progress.task}")
