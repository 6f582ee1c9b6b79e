"""Reading of the committed results of a study."""

from __future__ import annotations

import os
from collections.abc import Collection

from milplib.arguments import checked
from milplib.errors import ResultsError, UnknownNameError
from milplib.evaluation import Evaluation
from milplib.study.graph import study_tasks
from milplib.study.merging import joined_evaluation
from milplib.study.plan import open_study
from milplib.study.reading import FULL
from milplib.study.recorded import RecordedTasks
from milplib.study.store import StudyFiles
from milplib.study.study import Study
from milplib.study.summary import SummaryTask

__all__ = ["study_evaluation", "study_tables"]


@checked
def study_evaluation(
    path: str | os.PathLike[str],
    *,
    scale: str = FULL,
    setting: str,
    part: str = "",
    out: str | os.PathLike[str] | None = None,
    allow: Collection[str] = (),
) -> Evaluation:
    """Join the committed runs of a study into the evaluation behind its tables.

    Parameters
    ----------
    path, scale, out, allow
        As in `run_study`.
    setting
        One of the study's settings.
    part
        ``transfer`` for the runs on distributions with ``policies_of``, empty for the other runs.

    Returns
    -------
    Evaluation
        Evaluation of the runs, as `milplib.evaluate` returns it.

    Raises
    ------
    StudyError, UnknownNameError
        If the study file is invalid, the scale is unknown, or the setting and part have no runs.
    ResultsError
        If runs are missing or damaged, or predate a change of the study file.

    Notes
    -----
    No address is computed: the runs may be of other versions of SCIP and packages than the
    installed ones.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from milplib.study import run_study
    >>> from milplib.study.example import write_example
    >>> path = write_example(Path(tempfile.mkdtemp()))
    >>> _ = run_study(path, data=path.parent / "data")
    >>> [row.policy for row in study_evaluation(path, setting="default").summary().rows]
    ['pscost', 'relpscost']
    """
    study, workspace = open_study(path, scale=scale, out=out, to_run=False, allow=allow)
    tasks = {(task.setting, task.part): task for task in _summaries(study)}
    if (setting, part) not in tasks:
        known = [" ".join(filter(None, key)) for key in tasks]
        raise UnknownNameError("part of the study", f"{setting} {part}".strip(), known)
    files = StudyFiles(workspace.results)
    return _evaluation(tasks[setting, part], files, RecordedTasks(files.entries), path)


@checked
def study_tables(
    path: str | os.PathLike[str],
    *,
    scale: str = FULL,
    out: str | os.PathLike[str] | None = None,
    allow: Collection[str] = (),
) -> dict[str, str]:
    """Recompute the tables of a study from its committed runs.

    The runs and policies may be of other versions of SCIP and packages than the installed ones.

    Parameters
    ----------
    path, scale, out, allow
        As in `run_study`.

    Returns
    -------
    dict
        CSV text of each table, by its file name in the results.

    Raises
    ------
    StudyError, UnknownNameError, ResultsError
        As in `study_evaluation`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from milplib.study import run_study
    >>> from milplib.study.example import write_example
    >>> path = write_example(Path(tempfile.mkdtemp()))
    >>> _ = run_study(path, data=path.parent / "data")
    >>> tables = study_tables(path)
    >>> list(tables)
    ['default-summary.csv']
    >>> written = path.parent / "rules" / "full" / "default-summary.csv"
    >>> tables["default-summary.csv"] == written.read_text()
    True
    """
    study, workspace = open_study(path, scale=scale, out=out, to_run=False, allow=allow)
    files = StudyFiles(workspace.results)
    recorded = RecordedTasks(files.entries)
    tables: dict[str, str] = {}
    for task in _summaries(study):
        results = _evaluation(task, files, recorded, path)
        addresses = {policy: recorded.address_of(policy) for policy in task.policies}
        facts = {
            policy: files.entries[address].facts if address else {}
            for policy, address in addresses.items()
        }
        tables |= {task.outputs[name]: text for name, text in task.tables(results, facts).items()}
    return tables


def _summaries(study: Study) -> list[SummaryTask]:
    return [task for task in study_tasks(study) if isinstance(task, SummaryTask)]


def _evaluation(
    task: SummaryTask,
    files: StudyFiles,
    recorded: RecordedTasks,
    path: str | os.PathLike[str],
) -> Evaluation:
    addresses: list[str] = []
    missing = []
    for run in task.runs:
        address = recorded.address_of(run)
        if address and files.is_whole(address):
            addresses.append(address)
        else:
            missing.append(run)
    if missing:
        # Recorded runs may have these labels, but predate a change of the study file.
        raise ResultsError(
            f"{len(missing)} of {len(task.runs)} tasks of {path} are not done as it stands, "
            f"{missing[0].label!r} the first of them: run the study with milplib run"
        )
    return joined_evaluation(addresses, files)
