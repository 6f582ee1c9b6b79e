"""Evaluation of policies on instances and seeds: paired runs in processes, resumable."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from milplib.arguments import checked
from milplib.errors import InstanceError
from milplib.evaluation.config import EvaluationConfig, PolicyKind
from milplib.evaluation.policies import evaluated_policies
from milplib.evaluation.progress import EvaluationProgress
from milplib.evaluation.reports import ReportWriter, report_writers
from milplib.evaluation.results import Evaluation, EvaluationManifest
from milplib.evaluation.rows import Optimum, RunRow, TaskFile
from milplib.evaluation.run import died_rows, run_paired, run_reference
from milplib.evaluation.table import TABLES, read_table, run_table, write_table
from milplib.evaluation.task import PairedTask, ReferenceTask, RunParameters
from milplib.evaluation.traces import TRACES, trace_table, write_traces
from milplib.execution import Execution, TaskFailure, execution_or_workers, run_tasks
from milplib.execution.isolated_solve import unread_reason
from milplib.files import file_sha256
from milplib.library.evaluated import EvaluatedInstance, evaluated_instances, seed_list
from milplib.library.folder import InstancePlace
from milplib.outcomes import SolveFailure, SolveStatus
from milplib.progress import showing_progress
from milplib.runs.manifest import ResultsFolder
from milplib.runs.rows import check_any_read
from milplib.schema import SchemaError, conforming
from milplib.scip import StateFunction
from milplib.scip.versions import software_versions

__all__ = ["EvaluationProgress", "evaluate"]


@checked
def evaluate(
    folders: InstancePlace | Iterable[InstancePlace],
    *,
    policies: Sequence[object] | Mapping[str, object],
    models: Sequence[object] = (),
    blocks: Sequence[str | StateFunction] = (),
    baseline: object = "relpscost",
    seeds: int | Sequence[int] = 1,
    time_limit: float = 800.0,
    setting: str = "default",
    workers: int = 1,
    execution: Execution | None = None,
    out: str | os.PathLike[str],
    grace: float = 60.0,
    force: bool = False,
    on_progress: Callable[[EvaluationProgress], None] | None = None,
    progress: bool | None = None,
) -> Evaluation:
    """Evaluate policies on folders of instances.

    For every instance and seed, all policies run back to back in random order, each in a fresh
    process. Finished pairs are kept: a second call with the same arguments resumes where the
    first one stopped. All results but times and memory depend only on the arguments, not on the
    number of workers.

    Parameters
    ----------
    folders
        Folders of instance files, distributions, their splits, or instances in memory. Of a
        distribution or a folder of splits, ``test`` is used.
    policies
        Names of SCIP rules, policy files, ``"package.module:name"``, functions or policies, as
        `milplib.load_policy` takes them; or a `BestScipRule` or the path of its file. A mapping
        gives each its label in the results.
    models
        Your own models that policy files contain, as `milplib.load_policy` takes them.
    blocks
        Your own state functions that policy files read: objects, or names as
        ``"package.module:Name"``.
    baseline
        Policy that the others are compared with, or the label of one of them; it runs as well.
    seeds
        Number of seeds, counted from 0, or the seeds themselves.
    time_limit
        Wall-clock seconds of a solve. A failure counts as the limit.
    setting
        One of `milplib.scip.SETTINGS`. ``clean`` needs known optima: from ``optima.csv``
        (``instance,status,objective``) beside the instances, or else from a first solve with
        SCIP's defaults, which does not count as a run.
    workers
        Number of concurrent runs. Use no more than the machine has cores, or times suffer.
    execution
        Place and limits of the runs, instead of `workers`. A task is an instance with a seed;
        the memory limit applies to each run separately.
    out
        Folder to write: ``runs.parquet``, ``runs.csv``, ``traces.parquet``, ``manifest.json``,
        ``report.html``, and ``environment.json`` with the place and time of the runs.
    grace
        Seconds after the time limit before a run is killed.
    force
        Whether to replace another evaluation in `out`.
    on_progress
        Called after every pair of instance and seed.
    progress
        Whether to show a progress bar on stderr or in a notebook. Default: if somebody can see it,
        and `on_progress` is not given.

    Returns
    -------
    Evaluation
        Table of runs and its summary.

    Raises
    ------
    InstanceError
        If a folder is missing or holds no instances, or if no instance can be read.
    OutputError
        If `out` cannot be written, or holds anything but this evaluation.
    ParameterError, PolicyError, UnknownNameError
        If an argument is outside its domain, or if a policy cannot be loaded.

    Notes
    -----
    A run that crashes, hangs or whose policy fails is a row with its kind of failure. An
    instance that cannot be read is listed and left out of the means.

    Examples
    --------
    >>> import tempfile
    >>> from milplib.generators import CombinatorialAuction
    >>> folder = tempfile.mkdtemp()
    >>> CombinatorialAuction(n_items=30, n_bids=100).generate(seed=0).write(folder + "/a.lp")
    >>> results = evaluate(
    ...     [folder], policies=["pscost"], time_limit=60, out=folder + "/results")
    >>> [row.solved for row in results.summary().rows]
    [1, 1]
    """
    execution = execution_or_workers(execution, workers)
    parameters = RunParameters(
        setting=setting,
        time_limit=float(time_limit),
        grace=float(grace),
        memory_limit=execution.memory_limit,
    )
    all_seeds = seed_list(seeds)
    instances = evaluated_instances(folders)
    all_policies, baseline_label = evaluated_policies(
        policies, baseline=baseline, models=models, blocks=blocks
    )
    manifest = EvaluationManifest(
        config={
            "policies": [policy.as_json() for policy in all_policies],
            "baseline": baseline_label,
            "instances": [instance.as_json() for instance in instances],
            "seeds": list(all_seeds),
            "setting": setting,
            "time_limit": parameters.time_limit,
        },
        software=software_versions(),
    )
    # Seed by seed, so that partial results of a running evaluation cover all instances.
    tasks = [
        PairedTask(
            instance=instance,
            seed=seed,
            policies=tuple(policy.on(instance) for policy in all_policies),
            parameters=parameters,
        )
        for seed in all_seeds
        for instance in instances
    ]
    folder = _EvaluationFolder(Path(out), manifest, report_writers())
    with folder.claim(force=force) as has_work:
        if has_work:
            with showing_progress(
                "evaluating",
                progress=progress,
                on_progress=on_progress,
                steps=EvaluationProgress.steps,
            ) as report:
                folder.run(tasks, execution=execution, on_progress=report)
            folder.finish(len(tasks))
    return Evaluation.load(folder.folder)


class _EvaluationFolder(ResultsFolder[EvaluationConfig]):
    """Folder of an evaluation, with one file of rows for each finished pair."""

    noun = "evaluation"
    verb = "evaluating"
    suffixes = (".json", ".reference")

    def __init__(
        self, folder: Path, manifest: EvaluationManifest, reports: Mapping[str, ReportWriter]
    ) -> None:
        super().__init__(folder, manifest)
        self._reports = reports
        self.result_files = (*TABLES, TRACES, *reports)

    def run(
        self,
        tasks: list[PairedTask],
        *,
        execution: Execution,
        on_progress: Callable[[EvaluationProgress], None],
    ) -> None:
        """Run the unfinished pairs, and commit each one as it ends."""
        self.note_execution(execution)
        # A pair whose worker died is retried; a run that crashed in its own process is a result.
        rows = {
            number: None if self._has_died(number) else self._rows(number)
            for number in range(len(tasks))
        }
        waiting = [number for number, pair_rows in rows.items() if pair_rows is None]
        done = sum(len(pair_rows) for pair_rows in rows.values() if pair_rows)
        failed = sum(_n_failed(pair_rows) for pair_rows in rows.values() if pair_rows)
        total = sum(len(task.policies) for task in tasks)
        on_progress(EvaluationProgress(done, total, failed))
        # Each run enforces the memory limit itself, so that exceeding it ends only that run.
        execution = replace(execution, memory_limit=None)
        tasks, lost = self._with_references(tasks, waiting, execution)
        todo = [tasks[n] for n in waiting]
        files = _files(todo)
        for place, result in run_tasks(run_paired, todo, execution=execution, files=files):
            task = tasks[waiting[place]]
            if isinstance(result, TaskFailure):
                new_rows, failure = died_rows(task, result), str(result.kind)
            else:
                new_rows, failure = result, lost.get(task.instance.name, "")
            self.write_task(waiting[place], {"rows": new_rows, "failure": failure})
            done, failed = done + len(new_rows), failed + _n_failed(new_rows)
            on_progress(EvaluationProgress(done, total, failed))

    def _has_died(self, number: int) -> bool:
        return bool((self.read_task(number) or {}).get("failure"))

    def _rows(self, number: int) -> list[RunRow] | None:
        try:
            return conforming(self.read_task(number), TaskFile)["rows"]
        except SchemaError:
            return None

    def _with_references(
        self, tasks: list[PairedTask], waiting: Sequence[int], execution: Execution
    ) -> tuple[list[PairedTask], dict[str, str]]:
        """Add known optima to the tasks, and search for those that no file holds.

        Also return, by instance, the kind of failure of each search whose process died.
        """
        if not tasks or tasks[0].parameters.setting != "clean":
            return tasks, {}
        instances = list({task.instance.name: task.instance for task in tasks}.values())
        needed = {tasks[number].instance.name for number in waiting}
        known = [
            _known(instance) or cast(Optimum | None, self.read_task(n, ".reference"))
            for n, instance in enumerate(instances)
        ]
        missing = [
            number
            for number, instance in enumerate(instances)
            if known[number] is None and instance.name in needed
        ]
        searches = [
            ReferenceTask(instance=instances[number], parameters=tasks[0].parameters)
            for number in missing
        ]
        lost: dict[str, str] = {}
        files = _files(searches)
        for place, result in run_tasks(run_reference, searches, execution=execution, files=files):
            number = missing[place]
            if isinstance(result, TaskFailure):
                lost[instances[number].name] = result.kind
                known[number] = {
                    "status": SolveStatus.DIED,
                    "failure": SolveFailure.CRASH,
                    "failure_detail": str(result),
                    "objective": None,
                }
            else:
                known[number] = result
                self.write_task(number, result, suffix=".reference")
        by_name = {i.name: optimum for i, optimum in zip(instances, known, strict=True) if optimum}
        return [_with_reference(task, by_name.get(task.instance.name)) for task in tasks], lost

    def finish(self, n_tasks: int) -> None:
        """Write the table, the reports and the manifest.

        Raises
        ------
        InstanceError
            If no instance could be read. The folder's previous content stays.
        """
        rows = [row for number in range(n_tasks) for row in self._rows(number) or []]
        try:
            n_instances = len(self._manifest.config["instances"])
            check_any_read(map(unread_reason, rows), n_instances=n_instances)
        except InstanceError:
            self.discard()
            raise
        traces = trace_table(rows)
        names = (
            *write_table(run_table(rows), self.folder),
            write_traces(traces, self.folder),
        )
        results = Evaluation.of(
            self._manifest, read_table(self.folder / "runs.parquet"), traces=traces
        )
        for name, write in self._reports.items():
            write(results, self.folder / name)
        files = {name: file_sha256(self.folder / name) for name in names}
        replace(self._manifest, files=files).write(self.folder)
        self.end(retry=any(self._has_died(number) for number in range(n_tasks)))


def _files(tasks: Iterable[PairedTask] | Iterable[ReferenceTask]) -> list[Path]:
    """Collect the files that the processes of the tasks read."""
    files: dict[Path, None] = {}
    for task in tasks:
        files[task.instance.path] = None
        if isinstance(task, PairedTask):
            files |= {Path(p.source): None for p in task.policies if p.kind == PolicyKind.FILE}
    return list(files)


def _n_failed(rows: list[RunRow]) -> int:
    return sum(bool(row["failure"]) for row in rows)


def _known(instance: EvaluatedInstance) -> Optimum | None:
    if instance.known_objective is None and instance.known_status != SolveStatus.INFEASIBLE:
        return None
    return {
        "status": instance.known_status,
        "failure": "",
        "failure_detail": None,
        "objective": instance.known_objective,
    }


def _with_reference(task: PairedTask, optimum: Optimum | None) -> PairedTask:
    if optimum is None or optimum["failure"] == SolveFailure.UNREADABLE:
        return task  # already done, or the run itself reports the unreadable file
    if optimum["failure"]:
        reason = f"the optimum is not known: {optimum['failure_detail'] or optimum['failure']}"
        return replace(task, no_reference=reason)
    objective = optimum["objective"]
    # An infeasible instance has no optimum to cut off at.
    return replace(task, reference_objective=math.inf if objective is None else float(objective))
