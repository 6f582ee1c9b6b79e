"""The last stage: what a study comes to, as tables."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from milplib.files import atomic_write, file_sha256
from milplib.report import write_report
from milplib.report.exports import summary_rows
from milplib.study.judging import EvaluatePiece, merged_evaluation
from milplib.study.models import TRAINING_SETS
from milplib.study.piece import Bench, Made, Piece, digest_of
from milplib.study.training import TrainPiece
from milplib.study.training_sets import PolicyGroup, compare_groups

__all__ = ["REPORT", "SummaryPiece"]

SUMMARY, TRAINING, SETS = "summary.csv", "training.csv", "training-sets.csv"
REPORT = "report.html"
"""The page of the evaluation, in the folder of the piece's work."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SummaryPiece(Piece):
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
    runs: tuple[EvaluatePiece, ...]
    policies: tuple[TrainPiece, ...]

    stage = "summarise"

    @property
    def label(self) -> str:
        """Study, part and setting."""
        return f"{self.study}{self.part and f', {self.part}'} ({self.setting})"

    @property
    def inputs(self) -> tuple[Piece, ...]:
        """Runs and policies."""
        return (*self.runs, *self.policies)

    def recipe(self) -> dict[str, Any]:
        """The names of the policies, which stand in the tables."""
        return {"part": self.part, "policies": [piece.name for piece in self.policies]}

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

    def work(self, bench: Bench) -> Made:
        """Write the tables, and the page of the evaluation beside its other work."""
        folder = bench.folder(self)
        results = merged_evaluation(self.runs, bench)
        summary = results.summary()
        _write_csv(folder / SUMMARY, summary_rows(summary))
        if self.policies:
            _write_csv(folder / TRAINING, list(_training_rows(self.policies, bench.facts)))
        if self._groups:
            _write_csv(folder / SETS, compare_groups(results, self._groups))
        write_report(results, folder / REPORT)
        return Made(
            digest=digest_of([file_sha256(folder / name) for name in self.outputs]),
            facts={"errors": list(summary.errors)},
        )

    @cached_property
    def _groups(self) -> list[PolicyGroup]:
        """The policies that are judged, without their training seeds."""
        groups: dict[tuple[str, str, str], list[str]] = {}
        for name in dict.fromkeys(name for run in self.runs for name, _ in run.made):
            for kind in TRAINING_SETS:
                model, found, rest = name.partition(f"-{kind}-")
                if found:
                    budget = rest.rpartition("-seed")[0]
                    groups.setdefault((model, budget, kind), []).append(name)
        return [
            PolicyGroup(model=model, budget=budget, training_set=kind, policies=tuple(names))
            for (model, budget, kind), names in groups.items()
        ]


def _training_rows(
    policies: Sequence[TrainPiece], facts: Mapping[str, Mapping[str, Any]]
) -> Iterable[dict[str, Any]]:
    for piece in policies:
        known = facts.get(piece.address, {})
        judged = {"all": known.get("validation", {}), **known.get("by_distribution", {})}
        for distribution, metrics in judged.items():
            yield {
                "policy": piece.name,
                "model": piece.model.name,
                "trained_on": " ".join(piece.distributions),
                "training_seed": piece.seed,
                "training_samples": known.get("samples"),
                "epochs": known.get("epochs"),
                "judged_on": distribution,
                **{f"validation_{name}": value for name, value in metrics.items()},
            }


def _write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=names, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows({name: _said(value) for name, value in row.items()} for row in rows)
    with atomic_write(path) as stream:
        stream.write(text.getvalue().encode())


def _said(value: object) -> object:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    return "" if value is None else value
