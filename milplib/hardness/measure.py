"""Measurement: every instance of folders solved once, with statistics; resumable."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from milplib.arguments import checked, given
from milplib.errors import InstanceError, ParameterError, UnknownNameError
from milplib.execution import Execution, TaskFailure, execution_or_workers, run_tasks
from milplib.execution.isolated_solve import unread_reason
from milplib.files import file_sha256
from milplib.hardness.figure import FIGURE, write_figure
from milplib.hardness.levels import LevelThresholds
from milplib.hardness.results import (
    HardnessConfig,
    HardnessManifest,
    HardnessResults,
    Judging,
    SolveConfig,
)
from milplib.hardness.rows import HardnessTaskRow, TaskFile
from milplib.hardness.run import HardnessTask, died_row, run_task
from milplib.hardness.solvers import load_solver
from milplib.hardness.table import TABLE, read_rows, write_rows
from milplib.library.evaluated import evaluated_instances, seed_list
from milplib.library.folder import SPLITS, InstancePlace
from milplib.progress import Steps, showing_progress
from milplib.runs.manifest import ResultsFolder
from milplib.runs.rows import check_any_read
from milplib.schema import SchemaError, conforming
from milplib.scip.versions import software_versions

__all__ = ["HardnessProgress", "measure"]


@dataclass(frozen=True)
class HardnessProgress:
    """Progress of a measurement: finished instances, all, and failed ones among the finished."""

    done: int
    total: int
    failed: int


@checked
def measure(
    folders: InstancePlace | Iterable[InstancePlace],
    *,
    split: str = "test",
    solver: str | None = "scip",
    time_limit: float = 60.0,
    seed: int = 0,
    workers: int = 1,
    execution: Execution | None = None,
    thresholds: LevelThresholds | None = None,
    expert_probability: float = 0.05,
    samples_per_instance: int | None = None,
    out: str | os.PathLike[str] | None = None,
    grace: float = 60.0,
    force: bool = False,
    on_progress: Callable[[HardnessProgress], None] | None = None,
    progress: bool | None = None,
) -> HardnessResults:
    """Measure the hardness of instances for a solver, and count their rows and columns.

    Every instance is solved once, in a fresh process on one thread.

    Parameters
    ----------
    folders
        Folders of instance files, folders of split folders, distributions, their splits, or
        instances in memory.
    split
        Split to use of distributions and folders of split folders.
    solver
        ``"scip"``, ``"highs"`` (``pip install 'milplib[highs]'``), or None to only count rows and
        columns.
    time_limit
        Wall-clock seconds of a solve.
    seed
        Seed of the solver's random decisions.
    workers
        Number of concurrent solves. Use no more than the machine has cores, or times suffer.
    execution
        Place and limits of the solves, instead of `workers`. A task is an instance; the memory
        limit applies to its solve.
    thresholds
        Thresholds between the levels; None for the paper's numbers.
    expert_probability, samples_per_instance
        Parameters of an episode of `milplib collect`, to estimate its number of samples. None for
        `samples_per_instance` means no cap.
    out
        Folder to write: ``hardness.csv``, ``statistics.png``, ``manifest.json``, and
        ``environment.json`` with the place and time of the solves. A second call with the same
        arguments resumes where the first one stopped. Other thresholds or another probability
        reclassify existing rows without a solve. Nothing is written if None.
    grace
        Seconds after the time limit before a solve is killed.
    force
        Whether to replace another measurement in `out`.
    on_progress
        Called after every instance.
    progress
        Whether to show a progress bar on stderr or in a notebook. Default: if somebody can see it,
        and `on_progress` is not given.

    Returns
    -------
    HardnessResults
        One row per instance, with summaries.

    Raises
    ------
    InstanceError
        If a folder is missing or holds no instances, or if no instance can be read.
    MissingPackageError
        If the solver is not installed.
    OutputError
        If `out` cannot be written, or holds anything but this measurement.
    ParameterError, UnknownNameError
        If an argument is outside its domain.

    Notes
    -----
    A solve that crashes or hangs, and an instance that cannot be read, are rows with their kind
    of failure and without a level.

    Examples
    --------
    >>> import tempfile
    >>> from milplib.generators import GeneralizedIndependentSet
    >>> folder = tempfile.mkdtemp()
    >>> GeneralizedIndependentSet(n_nodes=40).generate(seed=0).write(folder + "/a.lp")
    >>> results = measure([folder])
    >>> results.by.split()[0], [row["level"] for row in results.rows]
    ('SCIP', ['easy'])
    """
    if thresholds is not None and not isinstance(thresholds, LevelThresholds):
        raise ParameterError(
            f"thresholds is {given(thresholds)}; give milplib.hardness.LevelThresholds"
        )
    judging = Judging(
        thresholds=thresholds or LevelThresholds(),
        expert_probability=expert_probability,
        samples_per_instance=samples_per_instance,
    )
    if split not in SPLITS:
        raise UnknownNameError("split", split, SPLITS)
    for name, value in (("time limit", time_limit), ("grace", grace)):
        if not 0 < value < math.inf:
            raise ParameterError(f"the {name} is {value} seconds; it must be positive and finite")
    execution = execution_or_workers(execution, workers)
    (seed,) = seed_list([seed])
    label = "" if solver is None else load_solver(solver).label
    instances = evaluated_instances(folders, split=split)
    solve: SolveConfig = {}
    if solver:  # limits have no effect without a solve
        solve = {"solver": solver, "time_limit": float(time_limit), "seed": seed}
    manifest = HardnessManifest(
        config={
            "by": label,
            **solve,
            "instances": [instance.as_json() for instance in instances],
            "judging": judging.as_json(),
        },
        software=software_versions(),
    )
    tasks = [
        HardnessTask(
            instance=instance,
            solver=solver or "",
            label=label,
            time_limit=float(time_limit),
            grace=float(grace),
            seed=seed,
            memory_limit=execution.memory_limit if solver else None,
        )
        for instance in instances
    ]
    shown = showing_progress("measuring", progress=progress, on_progress=on_progress, steps=_steps)
    if out is None:
        with shown as report:
            rows = _run(tasks, [None] * len(tasks), execution, report, lambda *ignored: None)
        check_any_read(map(unread_reason, rows), n_instances=len(rows))
        return HardnessResults.of(manifest, rows)
    folder = _HardnessFolder(Path(out), manifest)
    with folder.claim(force=force) as has_work:
        if has_work:
            with shown as report:
                folder.run(tasks, execution=execution, on_progress=report)
        elif HardnessManifest.load(folder.folder).config != manifest.config:
            folder.write_results(read_rows(folder.folder / TABLE))
    return HardnessResults.load(folder.folder)


def _steps(progress: HardnessProgress) -> Steps:
    return progress.done, progress.total, f"{progress.failed} failed" if progress.failed else ""


def _run(
    tasks: Sequence[HardnessTask],
    known: Sequence[HardnessTaskRow | None],
    execution: Execution,
    on_progress: Callable[[HardnessProgress], None],
    keep: Callable[[int, HardnessTaskRow, str], None],
) -> list[HardnessTaskRow]:
    """Run the tasks without known rows, and return the rows of all tasks in order.

    `keep` receives each new row, and the kind of failure if the task's process died.
    """
    rows = list(known)
    waiting = [number for number, row in enumerate(rows) if row is None]

    def report() -> None:
        done = [row for row in rows if row is not None]
        failed = sum(bool(row["failure"]) for row in done)
        on_progress(HardnessProgress(len(done), len(tasks), failed))

    report()
    if any(task.memory_limit for task in tasks):
        execution = replace(execution, memory_limit=None)  # each solve enforces it itself
    todo = [tasks[n] for n in waiting]
    files = [task.instance.path for task in todo]
    for place, result in run_tasks(run_task, todo, execution=execution, files=files):
        number = waiting[place]
        if isinstance(result, TaskFailure):
            row, failure = died_row(tasks[number], result), str(result.kind)
        else:
            row, failure = result, ""
        rows[number] = row
        keep(number, row, failure)
        report()
    return [row for row in rows if row is not None]


class _HardnessFolder(ResultsFolder[HardnessConfig]):
    """Folder of a measurement, with one row for each finished instance."""

    noun = "measurement"
    verb = "measuring"
    suffixes = (".json",)
    result_files = (TABLE, FIGURE)

    def run(
        self,
        tasks: Sequence[HardnessTask],
        *,
        execution: Execution,
        on_progress: Callable[[HardnessProgress], None],
    ) -> None:
        """Measure the unfinished instances, committing each one, and write the results.

        Raises
        ------
        InstanceError
            If no instance could be read. The folder's previous content stays.
        """
        self.note_execution(execution)
        known = [self._row(number) for number in range(len(tasks))]

        def keep(number: int, row: HardnessTaskRow, failure: str) -> None:
            self.write_task(number, {"row": row, "failure": failure})

        rows = _run(tasks, known, execution, on_progress, keep)
        try:
            check_any_read(map(unread_reason, rows), n_instances=len(rows))
        except InstanceError:
            self.discard()
            raise
        self.write_results(rows)
        self.end(retry=self.has_failures)

    def _row(self, number: int) -> HardnessTaskRow | None:
        content = self.read_task(number) or {}
        if content.get("failure"):  # its worker died, so the task is retried
            return None
        try:
            return conforming(content, TaskFile)["row"]
        except SchemaError:
            return None

    def write_results(self, rows: Sequence[HardnessTaskRow]) -> None:
        """Classify the rows, and write the table, the figure and finally the manifest."""
        results = HardnessResults.of(self._manifest, rows)
        write_rows(results.rows, self.folder / TABLE)
        write_figure(results, self.folder / FIGURE)
        files = {name: file_sha256(self.folder / name) for name in (TABLE, FIGURE)}
        replace(self._manifest, files=files).write(self.folder)
