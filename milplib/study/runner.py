"""Running of studies: missing tasks are done one by one, and their results kept."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from milplib.arguments import checked
from milplib.errors import MilplibError, MilplibWarning, warn_caller
from milplib.execution import (
    Execution,
    TaskFailure,
    WorkerDiedError,
    execution_or_workers,
    run_tasks,
)
from milplib.files import exclusive_lock, make_folder
from milplib.named import only_modules
from milplib.scip.versions import scip_version, software_versions
from milplib.study.costs import COSTS, Costs
from milplib.study.errors import StudyError
from milplib.study.plan import (
    DATA,
    StudyPlan,
    TaskState,
    known_stages,
    open_study,
    plan_in,
)
from milplib.study.reading import FULL
from milplib.study.record import StudyRecord
from milplib.study.store import RECORD
from milplib.study.task import STAGES, Stage, Task, TaskResult, Workspace, digest_of

__all__ = ["ChangedWarning", "StudyProgress", "run_study"]


class ChangedWarning(MilplibWarning):
    """Warning that a task done again has another result than the recorded one."""


@dataclass(frozen=True)
class StudyProgress:
    """Progress of a study: stage, tasks done and in total, and progress within a task."""

    stage: str
    done: int
    total: int
    task: str = ""
    inside: tuple[int, int] = (0, 0)
    note: str = ""


@checked
def run_study(
    path: str | os.PathLike[str],
    *,
    scale: str = FULL,
    only: Collection[str] = (),
    workers: int = 1,
    execution: Execution | None = None,
    data: str | os.PathLike[str] = DATA,
    out: str | os.PathLike[str] | None = None,
    allow: Collection[str] = (),
    on_progress: Callable[[StudyProgress], None] = lambda progress: None,
) -> StudyPlan:
    """Run or resume a study: do all missing tasks, and keep the result of each when it ends.

    Recorded tasks are never repeated, even if the samples, instances and policy files that they
    used are missing. Such files are made again only if a missing task needs them. If a policy then
    differs from the recorded one, its runs are repeated, too. Tasks of equal content are done once
    for all studies and scales.

    Parameters
    ----------
    path
        The study file.
    scale
        ``full``, or a name in the section ``scales`` of the file.
    only
        Stages to bring up to date, of `milplib.study.STAGES`, with the tasks they need; all stages
        if empty.
    workers
        Number of processes.
    execution
        Where samples are collected and policies evaluated, and the limits; replaces `workers`.
        Instances and policies are made on this machine.
    data
        Folder of samples, instances and other work that is not committed.
    out
        Folder of the committed results; ``STUDY/SCALE`` beside the study file if None.
    allow
        Modules that the study file may name, as in ``package.module:name``: a study that names
        one runs its code. No other module is imported; installed packages are always found by
        their entry points.
    on_progress
        Called as tasks are done, and within them.

    Returns
    -------
    StudyPlan
        Plan of the study after the run, as from `plan_study`.

    Raises
    ------
    StudyError, UnknownNameError
        If the study file is invalid, the scale or a stage is unknown, a task fails, or results of
        another version of SCIP would be replaced.
    OutputError
        If another process is running this study, or files cannot be written.
    ResultsError
        If the record or the measured costs are damaged.

    Examples
    --------
    >>> import tempfile
    >>> from milplib.study.example import write_example
    >>> path = write_example(Path(tempfile.mkdtemp()))
    >>> plan = run_study(path, data=path.parent / "data")
    >>> [str(planned.state) for planned in plan.tasks], plan.results.name
    (['done', 'done', 'done'], 'full')
    """
    execution = execution_or_workers(execution, workers)
    only = known_stages(only)
    with only_modules(allow):
        study, workspace = open_study(path, scale=scale, data=data, out=out, allow=allow)
        workspace = replace(workspace, execution=execution)
        make_folder(workspace.data)
        make_folder(workspace.results)
        costs = Costs(Path(path).parent / COSTS)
        costs.check()
        lock = workspace.data / f"{digest_of(os.fspath(workspace.results))[:16]}.lock"
        busy = f"another process runs the study in {workspace.results}: wait for it, or stop it"
        with exclusive_lock(lock, busy=busy):
            record = StudyRecord(workspace)
            plan = plan_in(study, Path(path), workspace, record, only)
            _refuse_other_scip(plan)
            record.convert()
            for stage in STAGES:
                # Planned again, because a changed policy has its runs repeated.
                plan = plan_in(study, Path(path), workspace, record, only)
                record.reuse(
                    [planned.task for planned in plan.tasks if planned.state is TaskState.CACHED]
                )
                tasks = [planned.task for planned in plan.todo if planned.task.stage == stage]
                if tasks:
                    _run_stage(stage, tasks, workspace, record, costs, on_progress)
            return plan_in(study, Path(path), workspace, record, only)


def _refuse_other_scip(plan: StudyPlan) -> None:
    if plan.replaced_scip:
        versions = " and ".join(plan.replaced_scip)
        raise StudyError(
            f"{plan.results} holds results of SCIP {versions}, and this is SCIP {scip_version()}: "
            f"{len(plan.todo)} tasks would be done anew and replace them; install SCIP {versions}, "
            "or name another folder with --out"
        )


def _run_stage(
    stage: str,
    tasks: Sequence[Task],
    workspace: Workspace,
    record: StudyRecord,
    costs: Costs,
    on_progress: Callable[[StudyProgress], None],
) -> None:
    done = 0

    def show(task: Task, inside: int, of: int, note: str) -> None:
        on_progress(StudyProgress(stage, done, len(tasks), task.label, (inside, of), note))

    on_progress(StudyProgress(stage, 0, len(tasks)))
    software = software_versions()
    for done, (task, run) in enumerate(_results(tasks, workspace, record, show), 1):
        known = record.digest(task)
        if known is not None and known != run.result.digest:
            warn_caller(_change(task, record), ChangedWarning)
        record.keep(task, run.result, seconds=run.seconds, software=software)
        if run.is_fresh and run.result.units:
            costs.learn(task, seconds=run.seconds, units=run.result.units)
        on_progress(StudyProgress(stage, done, len(tasks), task.label))


def _change(task: Task, record: StudyRecord) -> str:
    """Describe a changed result; drop the tasks that depend on a changed policy."""
    dropped = record.drop_dependents(task) if task.may_lack_files else ()
    consequence = "results computed from the recorded one stay"
    if dropped:
        n_runs = sum(entry.stage == Stage.EVALUATE for entry in dropped)
        consequence = f"{n_runs} tasks that evaluated it are done anew"
    return f"{task.stage}: {task.label}: the result differs from what {RECORD} says; {consequence}"


@dataclass(frozen=True)
class _Run:
    """Result of a task, its seconds of one core, and whether all of its work was done now."""

    result: TaskResult
    seconds: float
    is_fresh: bool


def _results(
    tasks: Sequence[Task],
    workspace: Workspace,
    record: StudyRecord,
    on_progress: Callable[[Task, int, int, str], None],
) -> Iterator[tuple[Task, _Run]]:
    """Do the tasks of a stage; yield each as it ends."""
    for task in tasks:
        make_folder(workspace.folder(task))
        for before in task.inputs:
            record.restore(before)
    for group, is_beside in groups_of(tasks, workspace.execution):
        now = replace(workspace, facts=record.facts)
        if is_beside:
            yield from _side_by_side(group, now)
            continue
        for task in group:
            yield task, _worked((task, replace(now, on_progress=partial(on_progress, task))))


def groups_of(tasks: Sequence[Task], execution: Execution) -> Iterator[tuple[Sequence[Task], bool]]:
    """Yield the groups of a stage's tasks, each with whether its tasks run side by side."""
    workers = execution.workers
    # Spread tasks come first, because the choice of a rule needs their results.
    spread = [task for task in tasks if task.is_spread]
    is_enough = len(spread) >= workers and all(task.is_isolating for task in spread)
    yield spread, workers > 1 and is_enough
    yield [task for task in tasks if not task.is_spread], workers > 1


def _side_by_side(tasks: Sequence[Task], workspace: Workspace) -> Iterator[tuple[Task, _Run]]:
    here = replace(workspace, execution=replace(workspace.execution, workers=1))
    jobs = [(task, here) for task in tasks]
    execution = Execution(workers=workspace.execution.workers)
    for place, run in run_tasks(_worked, jobs, execution=execution):
        if isinstance(run, TaskFailure):
            message = f"{tasks[place].stage}: {tasks[place].label}: {run}"
            raise WorkerDiedError(message, run.kind)
        yield tasks[place], run


def _worked(job: tuple[Task, Workspace]) -> _Run:
    task, workspace = job
    folder = workspace.folder(task)
    # Neither the seconds of a cluster's cores nor those of earlier work are known.
    is_fresh = workspace.execution.cluster is None and not any(folder.iterdir())
    begin = time.monotonic()
    try:
        result = task.run(workspace)
    except StudyError:
        raise
    except MilplibError as error:
        raise StudyError(f"{task.stage}: {task.label}: {error}") from error
    seconds = time.monotonic() - begin
    if task.is_spread:
        seconds *= min(workspace.execution.workers, max(1, int(task.units)))
    return _Run(result, seconds, is_fresh)
