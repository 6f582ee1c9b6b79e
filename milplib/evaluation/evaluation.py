"""An evaluation: policies × instances × seeds, paired, in processes, resumable."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyscipopt

from milplib.errors import InstanceError
from milplib.evaluation.policies import evaluated_policies
from milplib.evaluation.reports import ReportWriter, report_writers
from milplib.evaluation.results import Evaluation, EvaluationManifest
from milplib.evaluation.run import died_rows, run_paired, run_reference
from milplib.evaluation.table import TABLES, read_table, run_table, write_table
from milplib.evaluation.task import PairedTask, ReferenceTask, RunParameters
from milplib.evaluation.traces import TRACES, trace_table, write_traces
from milplib.execution import Execution, TaskFailure, execution_or_workers, run_tasks
from milplib.files import file_sha256
from milplib.library.evaluated import EvaluatedInstance, evaluated_instances, seed_list
from milplib.library.folder import InstancePlace
from milplib.outcomes import SolveFailure, SolveStatus
from milplib.runs.manifest import ResultsFolder
from milplib.scip.versions import scip_version
from milplib.version import __version__

__all__ = ["EvaluationProgress", "evaluate"]


@dataclass(frozen=True)
class EvaluationProgress:
    """How far an evaluation has come: runs done, runs in all, failed ones among those done."""

    done: int
    total: int
    failed: int


def evaluate(
    folders: InstancePlace | Iterable[InstancePlace],
    *,
    policies: Sequence[object],
    models: Sequence[object] = (),
    baseline: object = "relpscost",
    seeds: int | Sequence[int] = 1,
    time_limit: float = 800.0,
    setting: str = "default",
    workers: int = 1,
    execution: Execution | None = None,
    out: str | os.PathLike[str],
    grace: float = 60.0,
    force: bool = False,
    on_progress: Callable[[EvaluationProgress], None] = lambda progress: None,
) -> Evaluation:
    """Judge policies on folders of instances.

    On every instance with every seed all policies run back to back in random order, each in a
    fresh process. Finished pairs are kept: a second call with the same arguments goes on where
    the first one stopped. All but times and memory depends on the arguments alone, never on the
    number of workers.

    Parameters
    ----------
    folders
        Folders of instance files, or splits of distributions; of a folder that holds split
        folders, ``test`` is taken.
    policies
        Names of SCIP's rules, policy files, ``"package.module:name"``, functions or policies, as
        `milplib.load_policy` takes them; or a `BestScipRule`, or the path of its file.
    models
        Models of your own that policy files are of, as `milplib.load_policy` takes them.
    baseline
        The policy that the others are compared with; it runs, too.
    seeds
        A number of seeds, from 0 on, or the seeds themselves.
    time_limit
        Wall-clock seconds of a solve; a failure counts as so many.
    setting
        One of `milplib.scip.SETTINGS`. ``clean`` needs known optima: from ``optima.csv``
        (``instance,status,objective``) beside the instances, or else from a first solve with
        SCIP's defaults, which is no run.
    workers
        Number of runs at the same time; no more than the machine has cores, since times count.
    execution
        Where and within which limits the runs are made, instead of a number of workers. A task
        is an instance with a seed; the memory limit holds for each run by itself.
    out
        The folder to write: ``runs.parquet``, ``runs.csv``, ``traces.parquet``,
        ``manifest.json``, ``report.html``; ``environment.json`` says where and when it ran.
    grace
        Seconds beyond the limit after which a run is killed.
    force
        Replace what another evaluation has written in `out`.
    on_progress
        Called after every pair of instance and seed.

    Returns
    -------
    Evaluation
        The table, and what it comes to.

    Raises
    ------
    InstanceError
        If a folder is missing or holds no instances, or none of them can be read.
    OutputError
        If `out` is not empty and not of this very evaluation, or cannot be written.
    ParameterError, PolicyError, UnknownNameError
        If an argument is outside its domain, or a policy cannot be loaded.

    Notes
    -----
    A run that crashes, hangs, or whose policy fails is a row with its kind of failure. An
    instance that cannot be read is listed, and left out of the means.

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
    all_policies, baseline_label = evaluated_policies(policies, baseline=baseline, models=models)
    manifest = EvaluationManifest(
        config={
            "policies": [policy.as_json() for policy in all_policies],
            "baseline": baseline_label,
            "instances": [instance.as_json() for instance in instances],
            "seeds": list(all_seeds),
            "setting": setting,
            "time_limit": parameters.time_limit,
        },
        software={
            "milplib": __version__,
            "scip": scip_version(),
            "pyscipopt": pyscipopt.__version__,
        },
    )
    # Seed by seed: what is there of an evaluation that goes on is of all instances.
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
            folder.run(tasks, execution=execution, on_progress=on_progress)
            folder.finish(len(tasks))
    return Evaluation.load(folder.folder)


class _EvaluationFolder(ResultsFolder):
    """The folder of an evaluation: a file of rows for each finished pair."""

    noun = "evaluation"
    verb = "evaluating"
    suffixes = (".json", ".reference")
    _manifest: EvaluationManifest

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
        """Run the pairs that are not done yet; commit each as it ends."""
        self.note_execution(execution)
        # A pair whose worker died is tried again; a run that crashed in its own process counts.
        rows = {
            number: None if self._has_died(number) else self._rows(number)
            for number in range(len(tasks))
        }
        waiting = [number for number, found in rows.items() if found is None]
        done = sum(len(found) for found in rows.values() if found)
        failed = sum(_n_failed(found) for found in rows.values() if found)
        total = sum(len(task.policies) for task in tasks)
        on_progress(EvaluationProgress(done, total, failed))
        # Each run keeps the limit by itself, so that one that is over it does not end the others.
        execution = replace(execution, memory_limit=None)
        tasks, lost = self._with_references(tasks, waiting, execution)
        todo = [tasks[n] for n in waiting]
        files = _files(todo)
        for place, result in run_tasks(run_paired, todo, execution=execution, files=files):
            task = tasks[waiting[place]]
            if isinstance(result, TaskFailure):
                found, failure = died_rows(task, result), str(result.kind)
            else:
                found, failure = result, lost.get(task.instance.name, "")
            self.write_task(waiting[place], {"rows": found, "failure": failure})
            done, failed = done + len(found), failed + _n_failed(found)
            on_progress(EvaluationProgress(done, total, failed))

    def _has_died(self, number: int) -> bool:
        return bool((self.read_task(number) or {}).get("failure"))

    def _rows(self, number: int) -> list[dict[str, Any]] | None:
        rows = (self.read_task(number) or {}).get("rows")
        return rows if isinstance(rows, list) else None

    def _with_references(
        self, tasks: list[PairedTask], waiting: Sequence[int], execution: Execution
    ) -> tuple[list[PairedTask], dict[str, str]]:
        """Give the tasks the known optima, which are searched for where nobody wrote them down.

        Beside them, by instance, how the searches ended whose process died.
        """
        if not tasks or tasks[0].parameters.setting != "clean":
            return tasks, {}
        instances = list({task.instance.name: task.instance for task in tasks}.values())
        needed = {tasks[number].instance.name for number in waiting}
        known = [
            _known(instance) or self.read_task(n, ".reference")
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
        for place, found in run_tasks(run_reference, searches, execution=execution, files=files):
            number = missing[place]
            if isinstance(found, TaskFailure):
                lost[instances[number].name] = found.kind
                known[number] = {"failure": SolveFailure.CRASH, "failure_detail": str(found)}
            else:
                known[number] = found
                self.write_task(number, found, suffix=".reference")
        by_name = {i.name: found for i, found in zip(instances, known, strict=True) if found}
        return [_with_reference(task, by_name.get(task.instance.name)) for task in tasks], lost

    def finish(self, n_tasks: int) -> None:
        """Write the table, the reports and the manifest.

        Raises
        ------
        InstanceError
            If no instance could be read. What stood in the folder before stays.
        """
        rows = [row for number in range(n_tasks) for row in self._rows(number) or []]
        if all(row["failure"] == SolveFailure.UNREADABLE for row in rows):
            self.discard()
            n = len(self._manifest.config["instances"])
            raise InstanceError(
                f"none of the {n} instance files can be read; the first: "
                f"{rows[0]['failure_detail']}"
            )
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
    """Files that the processes of tasks read."""
    files: dict[Path, None] = {}
    for task in tasks:
        files[task.instance.path] = None
        if isinstance(task, PairedTask):
            files |= {Path(p.source): None for p in task.policies if p.kind == "file"}
    return list(files)


def _n_failed(rows: list[dict[str, Any]]) -> int:
    return sum(bool(row["failure"]) for row in rows)


def _known(instance: EvaluatedInstance) -> dict[str, Any] | None:
    if instance.known_objective is None and instance.known_status != SolveStatus.INFEASIBLE:
        return None
    return {"status": instance.known_status, "objective": instance.known_objective, "failure": ""}


def _with_reference(task: PairedTask, found: dict[str, Any] | None) -> PairedTask:
    if found is None or found["failure"] == SolveFailure.UNREADABLE:
        return task  # done, or the run itself will say what is wrong
    if found["failure"]:
        reason = f"the optimum is not known: {found['failure_detail'] or found['failure']}"
        return replace(task, no_reference=reason)
    objective = found["objective"]
    # An infeasible instance has no optimum to cut off at.
    return replace(task, reference_objective=math.inf if objective is None else float(objective))
