"""The command ``run``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from milplib.cli.console import (
    HERE,
    ExecutionOptions,
    allow_modules_here,
    output,
    progress_bar,
    say,
)
from milplib.cli.tables import Column, print_table

if TYPE_CHECKING:
    from milplib.execution import Execution
    from milplib.study import PlannedTask, StudyPlan, StudyProgress

__all__ = ["run"]

_HOUR = 3600.0


def run(
    study: Path,
    /,
    *,
    scale: str = "full",
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    only: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")] = (),
    data: Path = Path("data/studies"),
    out: Path | None = None,
    allow: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")] = (),
    execution: ExecutionOptions = HERE,
) -> int:
    """Run a whole study: generate, collect, train, evaluate, summarise.

    STUDY is a YAML file (docs/studies.md). Run an interrupted command again to continue it. Work
    recorded in OUT is never repeated, even on another machine. The exit code is 1 if two runs
    contradict each other.

    Parameters
    ----------
    study
        Study file, such as experiments/mixture.yaml.
    scale
        ``full``, or a name from the section ``scales`` of the file.
    dry_run
        Print the plan and its cost; run nothing.
    only
        Bring only these stages and their inputs up to date: generate, collect, train, rules,
        evaluate, summarise. ``train`` also creates missing files of recorded policies.
    data
        Folder for samples, instances and other files that are not committed.
    out
        Folder for the files to commit. Default: STUDY/SCALE beside the study file.
    allow
        Modules, in the current folder or installed, that the file may name as
        ``package.module:name``. Their code runs, also with --dry-run; no other module is imported.
    """
    from milplib.study import plan_study, run_study

    allow_modules_here(*(f"{module}:" for module in allow))
    where = execution.execution()
    if dry_run:
        plan = plan_study(study, scale=scale, only=only, data=data, out=out, allow=allow)
        print_plan(plan, execution=where)
        return 0
    with progress_bar("study") as bar:

        def show(progress: StudyProgress) -> None:
            inside = "/".join(map(str, progress.inside)) if progress.inside[1] else ""
            words = (progress.stage, progress.task, inside, progress.note)
            bar.update(progress.done, progress.total, " ".join(filter(None, words)))

        plan = run_study(
            study,
            scale=scale,
            only=only,
            execution=where,
            data=data,
            out=out,
            allow=allow,
            on_progress=show,
        )
    return print_results(plan)


def print_plan(plan: StudyPlan, *, execution: Execution) -> None:
    """Print a row per stage: the tasks, how many are done, and the cost of the others."""
    from milplib.study.plan import TaskState

    say(f"{plan.study.name}, scale {plan.study.scale}", style="bold")
    stages: dict[str, list[PlannedTask]] = defaultdict(list)
    for planned in plan.tasks:
        stages[planned.task.stage].append(planned)
    headings = ("tasks", "done", "to do", "core time", "longest task")
    columns = [Column(heading="stage", is_key=True), *(Column(heading=name) for name in headings)]
    rows = []
    long: dict[PlannedTask, float] = {}
    is_guessed = False
    for stage, listed in stages.items():
        todo = [planned for planned in listed if planned.state is TaskState.PENDING]
        total = sum(planned.cost.seconds for planned in todo)
        guessed = any(not planned.cost.is_measured for planned in todo)
        is_guessed |= guessed
        walls = _walls(todo, execution)
        finished = sum(task.state in (TaskState.DONE, TaskState.CACHED) for task in listed)
        rows.append(
            [
                stage,
                str(len(listed)),
                str(finished),
                str(len(todo)),
                (_said(total) + (" ?" if guessed else "")) if todo else "",
                _said(max(walls.values())) if walls else "",
            ]
        )
        long |= {planned: wall for planned, wall in walls.items() if wall > _HOUR}
    print_table(columns, rows)
    if plan.replaced_scip:
        say(
            f"done with SCIP {' and '.join(plan.replaced_scip)}: all of that must be repeated "
            "under this SCIP, with another --out",
        )
    workers = execution.workers
    total = plan.seconds / workers
    say(
        f"to do: {len(plan.todo)} tasks, about {_said(total)} on {workers} "
        f"worker{'s' * (workers != 1)}",
    )
    if is_guessed:
        say("?: partly estimated by the median of measured tasks")
    for planned, wall in list(long.items())[:3]:
        say(
            f"longer than an hour: {planned.task.stage}: {planned.task.label}: about "
            f"{_said(wall)}; it can be interrupted, but smaller tasks are recorded sooner",
        )


def print_results(plan: StudyPlan) -> int:
    """Print where the results are; return exit code 1 if runs contradict each other."""
    from milplib.cli.console import complain
    from milplib.study.plan import TaskState
    from milplib.study.store import StudyFiles
    from milplib.study.summary import REPORT
    from milplib.study.task import Stage

    console = output()
    entries = StudyFiles(plan.results).entries
    code = 0
    for planned in plan.tasks:
        if planned.task.stage is not Stage.SUMMARISE or planned.state is not TaskState.DONE:
            continue
        for error in entries[planned.task.address].facts.get("errors", ()):
            complain(f"error: {error}")
            code = 1
        for name in planned.task.outputs.values():
            console.print(f"table: {plan.results / name}", markup=False)
        report = plan.data / planned.task.address / REPORT
        if report.is_file():
            console.print(f"report: {report}", markup=False)
    done = sum(planned.state in (TaskState.DONE, TaskState.NOT_NEEDED) for planned in plan.tasks)
    console.print(f"{done} of {len(plan.tasks)} tasks done; {plan.results}", markup=False)
    return code


def _walls(todo: Sequence[PlannedTask], execution: Execution) -> dict[PlannedTask, float]:
    """Estimate the wall-clock seconds of each task of a stage."""
    from milplib.study.runner import groups_of

    cores = {
        task: execution.workers if task.is_spread and not is_beside else 1
        for tasks, is_beside in groups_of([planned.task for planned in todo], execution)
        for task in tasks
    }
    return {planned: planned.cost.seconds / cores[planned.task] for planned in todo}


def _said(seconds: float) -> str:
    """Format a time in its largest unit.

    >>> [_said(seconds) for seconds in (4, 75, 5400, 400_000)]
    ['4 s', '1.2 min', '1.5 h', '4.6 days']
    """
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
