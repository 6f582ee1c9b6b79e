"""Reader of an evaluation's folder for `milplib.runs`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from milplib.evaluation.table import read_table
from milplib.runs import RunContents, rows_contents, task_rows

__all__ = ["EVALUATION"]


class _Evaluation:
    noun = "evaluation"
    version = 1
    task_unit = "pairs of instance and seed"
    unit = "runs"

    def total(self, manifest: Mapping[str, Any]) -> int:
        config = manifest["config"]
        return len(config["instances"]) * len(config["seeds"])

    def unfinished(self, tasks: Sequence[Mapping[str, Any]]) -> RunContents:
        return rows_contents(task_rows(tasks), done=len(tasks), name=_name)

    def finished(self, manifest: Mapping[str, Any], folder: Path) -> RunContents:
        columns = ["policy", "instance", "seed", "failure", "failure_detail"]
        rows = read_table(folder / "runs.parquet").select(columns).to_pylist()
        return rows_contents(rows, done=self.total(manifest), name=_name)


def _name(row: Mapping[str, object]) -> str:
    return f"{row['policy']} on {row['instance']}, seed {row['seed']}"


EVALUATION = _Evaluation()
"""Kind of run that `milplib.evaluate` makes."""
