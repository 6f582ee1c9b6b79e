"""Plan of a study: states of its tasks, and the cost of those to do."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from milplib.arguments import checked
from milplib.errors import UnknownNameError
from milplib.named import only_modules
from milplib.study.costs import COSTS, Costs, Estimate
from milplib.study.graph import study_tasks
from milplib.study.reading import FULL, load_study
from milplib.study.record import StudyRecord
from milplib.study.recorded import RecordedTasks
from milplib.study.study import Study
from milplib.study.task import STAGES, Stage, Task, Workspace

__all__ = [
    "DATA",
    "PlannedTask",
    "StudyPlan",
    "TaskState",
    "known_stages",
    "open_study",
    "plan_in",
    "plan_study",
]

DATA = Path("data", "studies")
"""Default folder of work that is not committed."""

_EARLIER_RULES = "natives"
"""Name of the stage ``rules`` in earlier versions."""


class TaskState(StrEnum):
    """State of a task in a plan.

    Examples
    --------
    >>> TaskState("to do") is TaskState.PENDING
    True
    """

    DONE = "done"
    """The record holds its result."""
    CACHED = "cached"
    """Done before, here or for another study; its result only has to be copied."""
    PENDING = "to do"
    """To be done."""
    NOT_NEEDED = "not needed"
    """Needed by no task that is to be done."""


@dataclass(frozen=True, kw_only=True)
class PlannedTask:
    """Task with its state and estimated cost.

    Parameters
    ----------
    task
        The task.
    state
        State of the task.
    cost
        Estimated cost of the task.
    """

    task: Task
    state: TaskState
    cost: Estimate


@dataclass(frozen=True, kw_only=True)
class StudyPlan:
    """All tasks of a study, in the order of their execution.

    Parameters
    ----------
    study
        The study.
    data, results
        Folder of work that is not committed, and committed folder of results.
    tasks
        The tasks.
    replaced_scip
        Other versions of SCIP whose recorded results the tasks to do would replace.
    """

    study: Study
    data: Path
    results: Path
    tasks: tuple[PlannedTask, ...]
    replaced_scip: tuple[str, ...] = ()

    @property
    def todo(self) -> tuple[PlannedTask, ...]:
        """Tasks to do."""
        return tuple(planned for planned in self.tasks if planned.state is TaskState.PENDING)

    @property
    def seconds(self) -> float:
        """Estimated seconds of one core for the tasks to do."""
        return sum(planned.cost.seconds for planned in self.todo)


@checked
def plan_study(
    path: str | os.PathLike[str],
    *,
    scale: str = FULL,
    only: Collection[str] = (),
    data: str | os.PathLike[str] = DATA,
    out: str | os.PathLike[str] | None = None,
    allow: Collection[str] = (),
) -> StudyPlan:
    """Return the tasks of a study with their states and costs.

    Nothing is computed or written.

    Parameters
    ----------
    path, scale, only, data, out, allow
        As in `run_study`.

    Raises
    ------
    StudyError, UnknownNameError
        If the study file is invalid, or the scale or a stage is unknown.
    ResultsError
        If the record or the measured costs are damaged.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "rules.yaml")
    >>> _ = path.write_text('''
    ... distributions:
    ...   MIS-milplib-small: {test: 4}
    ... evaluation:
    ...   policies: [pscost]
    ...   time_limit: 60
    ... ''')
    >>> [str(planned.state) for planned in plan_study(path).todo]
    ['to do', 'to do', 'to do']
    """
    only = known_stages(only)
    with only_modules(allow):
        study, workspace = open_study(path, scale=scale, data=data, out=out, allow=allow)
        return plan_in(study, Path(path), workspace, StudyRecord(workspace), only)


def open_study(
    path: str | os.PathLike[str],
    *,
    scale: str,
    data: str | os.PathLike[str] = DATA,
    out: str | os.PathLike[str] | None,
    to_run: bool = True,
    allow: Collection[str] = (),
) -> tuple[Study, Workspace]:
    """Read a study, to run it or to read its results; return it and its workspace."""
    study = load_study(path, scale=scale, to_run=to_run, allow=allow)
    results = Path(path).with_suffix("") / scale if out is None else Path(out)
    return study, Workspace(data=Path(data).absolute(), results=results.absolute())


def known_stages(only: Collection[str]) -> tuple[str, ...]:
    """Check names of stages, and return their present names.

    Raises
    ------
    UnknownNameError
        If a stage is unknown.
    """
    stages = tuple(Stage.RULES if stage == _EARLIER_RULES else stage for stage in only)
    for stage in stages:
        if stage not in STAGES:
            raise UnknownNameError("stage", stage, STAGES)
    return stages


def plan_in(
    study: Study, path: Path, workspace: Workspace, record: StudyRecord, only: Collection[str]
) -> StudyPlan:
    """Plan the tasks of a study in a workspace."""
    costs = Costs(path.parent / COSTS)
    tasks = study_tasks(study)
    states: dict[Task, TaskState] = {}
    for task in tasks:
        if only and task.stage in only:
            # A stage asked for by name must leave its files.
            _need(task, states, record, as_input=task.may_lack_files)
        elif not only and task.outputs:
            _need(task, states, record, as_input=False)
    for task in tasks:
        if task not in states:
            states[task] = TaskState.DONE if record.has(task) else TaskState.NOT_NEEDED
    todo = [task for task in tasks if states[task] is TaskState.PENDING]
    return StudyPlan(
        study=study,
        data=workspace.data,
        results=workspace.results,
        tasks=tuple(
            PlannedTask(task=task, state=states[task], cost=costs.estimate(task)) for task in tasks
        ),
        replaced_scip=RecordedTasks(record.entries).other_scip_versions(todo),
    )


def _need(
    task: Task, states: dict[Task, TaskState], record: StudyRecord, *, as_input: bool
) -> None:
    """Set the states of a task and its inputs, so that it is done or serves as an input."""
    if states.get(task) is TaskState.PENDING:
        return
    if as_input and not record.is_at_hand(task):
        state = TaskState.PENDING
    elif record.has(task, with_files=as_input):
        state = TaskState.DONE
    else:
        state = (
            TaskState.CACHED if record.can_reuse(task, with_files=as_input) else TaskState.PENDING
        )
    if states.get(task) is not TaskState.CACHED or state is TaskState.PENDING:
        states[task] = state
    if state is TaskState.PENDING:
        for before in task.inputs:
            _need(before, states, record, as_input=True)
