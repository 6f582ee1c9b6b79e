"""What the folder of a run holds, read from its files: tasks, results and failures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from milplib.errors import ResultsError
from milplib.runs.folder import MANIFEST

__all__ = ["RunContents", "RunFailure", "RunFile", "open_run"]

_TASK_FILE = re.compile(r"\d{6,}\.json")
_KINDS: dict[str, Literal["collection", "evaluation", "measurement"]] = {
    "milplib-sample-set": "collection",
    "milplib-evaluation": "evaluation",
    "milplib-hardness": "measurement",
}


@dataclass(frozen=True, kw_only=True)
class RunFailure:
    """Something that gave no result, as far as a run has come.

    Parameters
    ----------
    name
        The instance; in an evaluation also the policy and the seed.
    kind
        Kind of failure: ``crash``, ``out of memory``, ``hang``, ``killed``, ``unreadable``,
        ``timelimit``, …
    detail
        What happened.
    """

    name: str
    kind: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class RunContents:
    """What there is of a run: tasks done, what they gave (samples, runs or rows), and failures."""

    done: int
    results: int
    failures: tuple[RunFailure, ...]


@dataclass(frozen=True, kw_only=True)
class RunFile:
    """The manifest of a run, of whatever kind, and the folder that it stands in.

    Parameters
    ----------
    folder
        The folder.
    kind
        What kind of run it is.
    content
        What the manifest says.
    """

    folder: Path
    kind: Literal["collection", "evaluation", "measurement"]
    content: dict[str, Any]

    @property
    def total(self) -> int:
        """Number of tasks."""
        config = self.content["config"]
        seeds = len(config["seeds"]) if self.kind == "evaluation" else 1
        return len(config["instances"]) * seeds

    @property
    def software(self) -> dict[str, str]:
        """Versions that the run began with."""
        return {str(name): str(found) for name, found in self.content["software"].items()}

    def is_same(self, other: RunFile) -> bool:
        """Whether two manifests are of the same run, complete or not."""
        names = ("format", "config", "software")
        return all(self.content[name] == other.content[name] for name in names)

    def unfinished(self) -> RunContents:
        """Read the files of the tasks; those that are damaged count as not done."""
        contents = list(self._tasks())
        if self.kind == "collection":
            return _of_outcomes(contents)
        rows = [row for content in contents for row in _rows(content)]
        return self._of_rows(rows, done=len(contents))

    def finished(self) -> RunContents:
        """Read the results.

        Raises
        ------
        ResultsError
            If they are missing or damaged.
        """
        if self.kind == "collection":
            return _of_outcomes(self.content["instances"])
        rows: Iterable[dict[str, Any]]
        if self.kind == "measurement":
            from milplib.hardness.table import TABLE, read_rows

            rows = read_rows(self.folder / TABLE)
        else:
            from milplib.evaluation.table import read_table

            names = ["policy", "instance", "seed", "failure", "failure_detail"]
            rows = read_table(self.folder / "runs.parquet").select(names).to_pylist()
        return self._of_rows(rows, done=self.total)

    def _tasks(self) -> Iterator[dict[str, Any]]:
        for path in sorted(self.folder.iterdir()):
            if _TASK_FILE.fullmatch(path.name):
                try:
                    content = json.loads(path.read_bytes())
                except (OSError, ValueError):
                    continue
                if isinstance(content, dict):
                    yield content

    def _of_rows(self, rows: Iterable[dict[str, Any]], *, done: int) -> RunContents:
        rows = list(rows)
        failures = tuple(
            RunFailure(
                name=_name_of_run(row) if self.kind == "evaluation" else str(row["instance"]),
                kind=str(row["failure"]),
                detail=str(row.get("failure_detail", "")),
            )
            for row in rows
            if row.get("failure")
        )
        return RunContents(done=done, results=len(rows), failures=failures)


def open_run(folder: Path) -> RunFile | None:
    """Read the manifest of a run; None if the folder has none of a kind that milplib knows.

    Raises
    ------
    ResultsError
        If it cannot be read, is damaged or of another version.

    Examples
    --------
    >>> open_run(Path("no/such/folder")) is None
    True
    """
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ResultsError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise ResultsError(f"{path} is damaged: {error}") from error
    if not isinstance(content, dict) or content.get("format") not in _KINDS:
        return None
    version = content.get("version", 1)
    if version != 1:
        software = content.get("software")
        by = software.get("milplib", "another") if isinstance(software, dict) else "another"
        raise ResultsError(
            f"{path} has version {version}, of milplib {by}; this milplib reads 1: use that one"
        )
    run = RunFile(folder=folder, kind=_KINDS[content["format"]], content=content)
    try:
        run.total, run.software, list(content["instances"] if run.kind == "collection" else ())
    except (KeyError, TypeError, AttributeError) as error:
        raise ResultsError(f"{path} is damaged: {error!r}") from error
    return run


def _of_outcomes(outcomes: Iterable[Mapping[str, Any]]) -> RunContents:
    outcomes = list(outcomes)
    failures = tuple(
        RunFailure(
            name=str(outcome["instance"]),
            kind=str(outcome.get("failure") or _outcome_kind(outcome)),
            detail=str(outcome.get("reason", "")),
        )
        for outcome in outcomes
        if outcome.get("outcome") in ("failed", "unreadable")
    )
    samples = sum(int(outcome.get("samples", 0)) for outcome in outcomes)
    return RunContents(done=len(outcomes), results=samples, failures=failures)


def _outcome_kind(outcome: Mapping[str, Any]) -> str:
    return "unreadable" if outcome["outcome"] == "unreadable" else "every episode failed"


def _rows(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of a task of an evaluation or a measurement, by the kind of its worker's end if any."""
    rows = content.get("rows", [content["row"]] if "row" in content else [])
    died = content.get("failure")
    return [row | {"failure": died} if died else row for row in rows]


def _name_of_run(row: Mapping[str, Any]) -> str:
    return f"{row['policy']} on {row['instance']}, seed {row['seed']}"
