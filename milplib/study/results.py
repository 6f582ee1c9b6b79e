"""What a study left behind, read again."""

from __future__ import annotations

import os

from milplib.errors import ResultsError, UnknownNameError
from milplib.evaluation import Evaluation
from milplib.study.judging import merged_evaluation
from milplib.study.ledger import Ledger
from milplib.study.plan import study_pieces
from milplib.study.planning import DATA, opened_study
from milplib.study.reading import FULL
from milplib.study.summary import SummaryPiece

__all__ = ["study_evaluation"]


def study_evaluation(
    path: str | os.PathLike[str],
    *,
    scale: str = FULL,
    setting: str,
    part: str = "",
    out: str | os.PathLike[str] | None = None,
) -> Evaluation:
    """Join the committed runs of a study into the evaluation that its tables are made of.

    Parameters
    ----------
    path, scale, out
        As in `run_study`.
    setting
        One of the study's settings.
    part
        ``transfer``: the runs on distributions with ``policies_of``; the others if it is empty.

    Returns
    -------
    Evaluation
        As `milplib.evaluate` gives it, with `summary`, `table` and `config`.

    Raises
    ------
    StudyError, UnknownNameError
        If the study file is wrong, or has no such scale, or no runs of this setting and part.
    ResultsError
        If runs are missing or damaged, or are those of the study before its file was changed.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from milplib.study import run_study
    >>> path = Path(tempfile.mkdtemp(), "rules.yaml")
    >>> _ = path.write_text('''
    ... distributions:
    ...   MIS-milplib-small: {test: 1}
    ... evaluation:
    ...   policies: [pscost]
    ...   time_limit: 60
    ... ''')
    >>> _ = run_study(path, data=path.parent / "data")
    >>> [row.policy for row in study_evaluation(path, setting="default").summary().rows]
    ['pscost', 'relpscost']
    """
    study, bench = opened_study(path, scale=scale, only=(), data=DATA, out=out)
    pieces = {
        (piece.setting, piece.part): piece
        for piece in study_pieces(study)
        if isinstance(piece, SummaryPiece)
    }
    if (setting, part) not in pieces:
        known = [" ".join(filter(None, key)) for key in pieces]
        raise UnknownNameError("part of the study", f"{setting} {part}".strip(), known)
    runs = pieces[setting, part].runs
    ledger = Ledger(bench)
    missing = [piece for piece in runs if not ledger.has(piece)]
    if missing:
        # Files of the same names may lie there, of what the study was before it was changed.
        raise ResultsError(
            f"{len(missing)} of {len(runs)} pieces of {path} are not done as it stands, "
            f"{missing[0].label!r} the first of them: milplib run it"
        )
    return merged_evaluation(runs, bench)
