"""Last stage of a study: tables of the results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from milplib.evaluation import Evaluation
from milplib.files import atomic_write, file_sha256
from milplib.report import write_report
from milplib.report.exports import csv_text, summary_rows
from milplib.study.evaluating import EvaluateTask
from milplib.study.merging import joined_evaluation
from milplib.study.models import TRAINING_SETS
from milplib.study.store import StudyFiles
from milplib.study.task import Stage, Task, TaskResult, Workspace, digest_of
from milplib.study.training import TrainingFacts, TrainTask
from milplib.study.training_sets import PolicyGroup, compare_groups

__all__ = ["REPORT", "SummaryTask"]

SUMMARY, TRAINING, SETS = "summary.csv", "training.csv", "training-sets.csv"
DIGITS = 6
"""Significant digits of numbers in the tables."""
REPORT = "report.html"
"""Name of the page of the evaluation, in the task's folder of work."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SummaryTask(Task):
    """Task that writes the tables of a setting.

    Parameters
    ----------
    study
        Name of the study.
    setting
        SCIP setting.
    part
        ``transfer`` for runs on distributions with ``policies_of``, empty for the other runs.
    runs
        Tasks of the runs.
    policies
        Policies whose training the tables describe.
    """

    study: str
    setting: str
    part: str = ""
    runs: tuple[EvaluateTask, ...]
    policies: tuple[TrainTask, ...]

    stage = Stage.SUMMARISE

    @property
    def label(self) -> str:
        """Study, part and setting."""
        return f"{self.study}{self.part and f', {self.part}'} ({self.setting})"

    @property
    def inputs(self) -> tuple[Task, ...]:
        """Tasks of the runs and policies."""
        return (*self.runs, *self.policies)

    def request(self) -> dict[str, object]:
        """Return the part, and the names of the policies in the tables."""
        return {"part": self.part, "policies": [task.name for task in self.policies]}

    @property
    def outputs(self) -> dict[str, str]:
        """Files of the tables."""
        names = [SUMMARY]
        names += [TRAINING] if self.policies else []
        names += [SETS] if self._groups else []
        prefix = f"{self.setting}{self.part and f'-{self.part}'}"
        return {name: f"{prefix}-{name}" for name in names}

    @property
    def units(self) -> float:
        """0: the work is negligible."""
        return 0.0

    def run(self, workspace: Workspace) -> TaskResult:
        """Write the tables, and the page of the evaluation, to the folder of work."""
        folder = workspace.folder(self)
        results = joined_evaluation(
            [task.address for task in self.runs], StudyFiles(workspace.results)
        )
        facts = {task: workspace.facts.get(task.address, {}) for task in self.policies}
        for name, text in self.tables(results, facts).items():
            with atomic_write(folder / name) as stream:
                stream.write(text.encode())
        write_report(results, folder / REPORT)
        return TaskResult(
            digest=digest_of([file_sha256(folder / name) for name in self.outputs]),
            facts={"errors": list(results.summary().errors)},
        )

    def tables(
        self, results: Evaluation, facts: Mapping[TrainTask, Mapping[str, object]]
    ) -> dict[str, str]:
        """Compute the tables.

        Parameters
        ----------
        results
            Evaluation of the runs.
        facts
            Facts that the trainings of the policies reported.

        Returns
        -------
        dict
            CSV text of each table, by its file name in the folder of work.
        """
        tables = {SUMMARY: _table(summary_rows(results.summary()))}
        if self.policies:
            tables[TRAINING] = _table(list(_training_rows(facts)))
        if self._groups:
            tables[SETS] = _table(compare_groups(results, self._groups))
        return tables

    @cached_property
    def _groups(self) -> list[PolicyGroup]:
        """Groups of the evaluated policies that differ only in their training seed."""
        groups: dict[tuple[str, str, str], list[str]] = {}
        for name in dict.fromkeys(name for run in self.runs for name, _ in run.trained):
            for training_set in TRAINING_SETS:
                model, separator, rest = name.partition(f"-{training_set}-")
                if separator:
                    budget = rest.rpartition("-seed")[0]
                    groups.setdefault((model, budget, training_set), []).append(name)
        return [
            PolicyGroup(
                model=model, budget=budget, training_set=training_set, policies=tuple(names)
            )
            for (model, budget, training_set), names in groups.items()
        ]


def _table(rows: Sequence[Mapping[str, object]]) -> str:
    return csv_text(rows, digits=DIGITS)


def _training_rows(
    facts: Mapping[TrainTask, Mapping[str, object]],
) -> Iterable[dict[str, object]]:
    for task, reported in facts.items():
        known = cast(TrainingFacts, reported)
        judged = {"all": known.get("validation", {}), **known.get("by_distribution", {})}
        for distribution, metrics in judged.items():
            yield {
                "policy": task.name,
                "model": task.model.name,
                "trained_on": " ".join(task.distributions),
                "training_seed": task.seed,
                "training_samples": known.get("samples"),
                "epochs": known.get("epochs"),
                "judged_on": distribution,
                **{f"validation_{name}": value for name, value in metrics.items()},
            }
