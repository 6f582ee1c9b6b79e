"""Optional tracking with Weights & Biases; no result depends on it."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from milplib.errors import MissingPackageError
from milplib.evaluation import Evaluation, PolicySummary

__all__ = ["WandbRun", "import_wandb", "track_evaluation"]

_log = logging.getLogger("milplib")


def import_wandb() -> Any:
    """Import wandb.

    Raises
    ------
    MissingPackageError
        If wandb is not installed.

    Examples
    --------
    >>> import_wandb().__name__
    'wandb'
    """
    try:
        import wandb
    except ImportError as error:
        raise MissingPackageError(
            f"tracking needs the package wandb, which cannot be imported ({error}): "
            'pip install "milplib[track]", or leave --track out'
        ) from error
    return wandb


class WandbRun:
    """Run of Weights & Biases; its first failure is logged and ends the tracking.

    The environment variables of wandb apply: ``WANDB_MODE=offline`` writes into the folder,
    ``WANDB_MODE=disabled`` does nothing.

    Parameters
    ----------
    project
        Name of the project.
    job
        Type of the run, ``"training"`` or ``"evaluation"``.
    folder
        Folder in which wandb writes its subfolder ``wandb``.
    config
        Configuration of the run.

    Raises
    ------
    MissingPackageError
        If wandb is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from unittest.mock import patch
    >>> folder = Path(tempfile.mkdtemp())
    >>> with patch.dict(os.environ, WANDB_MODE="disabled"):
    ...     run = WandbRun(project="try", job="training", folder=folder, config={})
    ...     run.log({"loss": 0.5}, step=1)
    ...     run.finish({"loss": 0.5})
    """

    def __init__(
        self, *, project: str, job: str, folder: Path, config: Mapping[str, object]
    ) -> None:
        self._wandb = import_wandb()
        self._job = job
        self._run: Any = None
        self._guarded(
            lambda: self._wandb.init(
                project=project,
                job_type=job,
                dir=str(folder),
                config=dict(config),
                # wandb itself reads the environment only once per process.
                mode=os.environ.get("WANDB_MODE") or None,
            ),
            begins=True,
        )

    def log(self, values: Mapping[str, float], *, step: int) -> None:
        """Send numbers of a step, such as an epoch."""
        self._guarded(lambda: self._run.log(dict(values), step=step))

    def log_table(self, name: str, rows: Iterable[Mapping[str, object]]) -> None:
        """Send a table; the first row names the columns."""
        records = list(rows)
        if records:
            columns = list(records[0])
            data = [[row[column] for column in columns] for row in records]
            self._guarded(
                lambda: self._run.log({name: self._wandb.Table(columns=columns, data=data)})
            )

    def keep(self, files: Iterable[Path], *, name: str, kind: str) -> None:
        """Send files as an artefact, a named and versioned set of files.

        Parameters
        ----------
        files
            The files.
        name
            Name of the artefact; characters that wandb forbids become hyphens.
        kind
            Type of the artefact, ``"policy"`` or ``"report"``.
        """

        def send() -> None:
            artefact = self._wandb.Artifact(re.sub(r"[^A-Za-z0-9_.-]", "-", name), type=kind)
            for file in files:
                artefact.add_file(str(file), name=file.name)
            self._run.log_artifact(artefact)

        self._guarded(send)

    def finish(self, summary: Mapping[str, float]) -> None:
        """Send the final numbers and close the run."""
        self._guarded(lambda: self._run.summary.update(dict(summary)))
        self._guarded(lambda: self._run.finish())

    def _guarded(self, action: Callable[[], Any], *, begins: bool = False) -> None:
        if self._run is None and not begins:
            return
        try:
            result = action()
        except Exception as error:  # tracking must never end hours of work
            run, self._run = self._run, None
            with suppress(Exception):  # otherwise the next run would continue this one
                run.finish(exit_code=1)
            _log.warning(
                "milplib: warning: wandb failed (%s: %s); %s goes on without it",
                type(error).__name__,
                " ".join(str(error).split()),
                self._job,
            )
        else:
            self._run = result if begins else self._run


def track_evaluation(folder: str | os.PathLike[str], *, project: str = "milplib") -> None:
    """Send the results of an evaluation to Weights & Biases.

    The run holds the arguments and versions. Its table ``summary`` has a row per policy and
    distribution, whose numbers are also in the run's summary, by name. The report, the table of
    runs and the manifest form an artefact.

    Parameters
    ----------
    folder
        Folder that `milplib.evaluate` wrote.
    project
        Name of the project.

    Raises
    ------
    MissingPackageError
        If wandb is not installed.
    ResultsError
        If the folder holds no results.

    Notes
    -----
    Any other failure is logged in one line; the results do not depend on it.

    Examples
    --------
    >>> import tempfile
    >>> from unittest.mock import patch
    >>> from milplib.evaluation import evaluate
    >>> from milplib.generators import CombinatorialAuction
    >>> folder = tempfile.mkdtemp()
    >>> CombinatorialAuction(n_items=30, n_bids=100).generate(seed=0).write(folder + "/a.lp")
    >>> _ = evaluate([folder], policies=["pscost"], time_limit=60, out=folder + "/results")
    >>> with patch.dict(os.environ, WANDB_MODE="disabled"):
    ...     track_evaluation(folder + "/results")
    """
    import_wandb()  # report a missing package before reading anything
    folder = Path(folder)
    results = Evaluation.load(folder)
    summary = results.summary()
    config = {**results.config, "software": results.software, "complete": results.is_complete}
    run = WandbRun(project=project, job="evaluation", folder=folder, config=config)
    rows = [_numbers(row) for row in summary.rows]
    run.log_table("summary", rows)
    names = ("report.html", "runs.parquet", "manifest.json")
    files = [folder / name for name in names if (folder / name).is_file()]
    if files:
        run.keep(files, name=f"{folder.resolve().name}-report", kind="report")
    run.finish(
        {
            f"{row['distribution']}/{row['policy']}/{name}": value
            for row in rows
            for name, value in row.items()
            if isinstance(value, int | float)
        }
    )


def _numbers(row: PolicySummary) -> dict[str, object]:
    compared = row.against_baseline
    missing = float("nan")
    return {
        "distribution": row.distribution,
        "policy": row.policy,
        "runs": row.runs,
        "solved": row.solved,
        "time": row.time,
        "time ratio": compared.time.value if compared else 1.0,
        "time ratio low": compared.time.low if compared else missing,
        "time ratio high": compared.time.high if compared else missing,
        "nodes": row.nodes,
        "node ratio": compared.nodes.value if compared else 1.0,
        "wins": row.wins,
        "failures": sum(row.failures.values()),
    }
