"""Reader of a measurement's folder for `milplib.runs`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from milplib.hardness.table import TABLE, read_rows
from milplib.runs import RunContents, rows_contents, task_rows

__all__ = ["MEASUREMENT"]


class _Measurement:
    noun = "measurement"
    version = 1
    task_unit = "instances"
    unit = "rows"

    def total(self, manifest: Mapping[str, Any]) -> int:
        return len(manifest["config"]["instances"])

    def unfinished(self, tasks: Sequence[Mapping[str, Any]]) -> RunContents:
        return rows_contents(task_rows(tasks), done=len(tasks), name=_name)

    def finished(self, manifest: Mapping[str, Any], folder: Path) -> RunContents:
        return rows_contents(read_rows(folder / TABLE), done=self.total(manifest), name=_name)


def _name(row: Mapping[str, object]) -> str:
    return str(row["instance"])


MEASUREMENT = _Measurement()
"""Kind of run that `milplib.hardness.measure` makes."""
