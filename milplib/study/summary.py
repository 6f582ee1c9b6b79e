"""The last stage: what a study comes to, as tables."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from milplib.evaluation import Evaluation
from milplib.files import atomic_write, file_sha256
from milplib.report import write_report
from milplib.report.exports import summary_rows
from milplib.study.evaluating import EvaluateTask
from milplib.study.merging import joined_evaluation
from milplib.study.models import TRAINING_SETS
from milplib.study.store import StudyFiles
from milplib.study.task import Task, TaskResult, Workspace, digest_of
from milplib.study.training import TrainTask
from milplib.study.training_sets import PolicyGroup, compare_groups

__all__ = ["REPORT", "SummaryTask"]

SUMMARY, TRAINING, SETS = "summary.csv", "training.csv", "training-sets.csv"
REPORT = "report.html"
"""The page of the evaluation, in the folder of the task's work."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SummaryTask(Task):
    """The tables of a setting.

    Parameters
    ----------
    study
        The study's name.
    setting
        SCIP's setting.
    part
        What the runs have in common, where they are not all: ``transfer``, of policies that are
        judged on distributions that they were not trained on.
    runs
        The runs.
    policies
        Policies whose training is described.
    """

    study: str
    setting: str
    part: str = ""
    runs: tuple[EvaluateTask, ...]
    policies: tuple[TrainTask, ...]

    stage = "summarise"

    @property
    def label(self) -> str:
        """Study, part and setting."""
        return f"{self.study}{self.part and f', {self.part}'} ({self.setting})"

    @property
    def inputs(self) -> tuple[Task, ...]:
        """Runs and policies."""
        return (*self.runs, *self.policies)

    def request(self) -> dict[str, Any]:
        """The names of the policies, which stand in the tables."""
        return {"part": self.part, "policies": [task.name for task in self.policies]}

    @property
    def outputs(self) -> dict[str, str]:
        """The tables."""
        names = [SUMMARY]
        names += [TRAINING] if self.policies else []
        names += [SETS] if self._groups else []
        prefix = f"{self.setting}{self.part and f'-{self.part}'}"
        return {name: f"{prefix}-{name}" for name in names}

    @property
    def units(self) -> float:
        """Nothing to speak of."""
        return 0.0

    def run(self, workspace: Workspace) -> TaskResult:
        """Write the tables, and the page of the evaluation beside its other work."""
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
        self, results: Evaluation, facts: Mapping[TrainTask, Mapping[str, Any]]
    ) -> dict[str, str]:
        """Make the tables.

        Parameters
        ----------
        results
            The runs.
        facts
            What the trainings of the policies reported.

        Returns
        -------
        dict
            The text in CSV of each, by its name in the folder of the work.
        """
        tables = {SUMMARY: _csv(summary_rows(results.summary()))}
        if self.policies:
            tables[TRAINING] = _csv(list(_training_rows(facts)))
        if self._groups:
            tables[SETS] = _csv(compare_groups(results, self._groups))
        return tables

    @cached_property
    def _groups(self) -> list[PolicyGroup]:
        """The policies that are judged, without their training seeds."""
        groups: dict[tuple[str, str, str], list[str]] = {}
        for name in dict.fromkeys(name for run in self.runs for name, _ in run.trained):
            for kind in TRAINING_SETS:
                model, separator, rest = name.partition(f"-{kind}-")
                if separator:
                    budget = rest.rpartition("-seed")[0]
                    groups.setdefault((model, budget, kind), []).append(name)
        return [
            PolicyGroup(model=model, budget=budget, training_set=kind, policies=tuple(names))
            for (model, budget, kind), names in groups.items()
        ]


def _training_rows(
    facts: Mapping[TrainTask, Mapping[str, Any]],
) -> Iterable[dict[str, Any]]:
    for task, known in facts.items():
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


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=names, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows({name: _said(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _said(value: object) -> object:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    return "" if value is None else value
