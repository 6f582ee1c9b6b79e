"""What of a study is done, what is to be done, and what that will cost."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from milplib.errors import UnknownNameError
from milplib.study.costs import COSTS, Costs, Estimate
from milplib.study.ledger import Ledger
from milplib.study.piece import STAGES, Bench, Piece
from milplib.study.plan import study_pieces
from milplib.study.reading import FULL, load_study
from milplib.study.study import Study

__all__ = ["DATA", "PlannedPiece", "StudyPlan", "opened_study", "plan_study", "planned_study"]

DATA = Path("data", "studies")
"""Where work lies that is not committed."""


@dataclass(frozen=True, kw_only=True)
class PlannedPiece:
    """A piece, whether it is to be done, and its cost.

    Parameters
    ----------
    piece
        The piece.
    state
        ``done``: it is committed. ``there``: it was done before, and is only committed.
        ``to do``: it will be done. ``not needed``: nothing that is to be done needs it.
    cost
        Of doing it.
    """

    piece: Piece
    state: str
    cost: Estimate


@dataclass(frozen=True, kw_only=True)
class StudyPlan:
    """All pieces of a study, in the order in which they are done.

    Parameters
    ----------
    study
        The study.
    data, results
        Folders of what is not committed, and of what is.
    pieces
        The pieces.
    """

    study: Study
    data: Path
    results: Path
    pieces: tuple[PlannedPiece, ...]

    @property
    def todo(self) -> tuple[PlannedPiece, ...]:
        """Pieces that are to be done."""
        return tuple(planned for planned in self.pieces if planned.state == "to do")

    @property
    def seconds(self) -> float:
        """Seconds of one core that they are estimated to take."""
        return sum(planned.cost.seconds for planned in self.todo)


def plan_study(
    path: str | os.PathLike[str],
    *,
    scale: str = FULL,
    only: Collection[str] = (),
    data: str | os.PathLike[str] = DATA,
    out: str | os.PathLike[str] | None = None,
) -> StudyPlan:
    """Tell what a study consists of, what of it is done, and what the rest will cost.

    Nothing is computed, and nothing written.

    Parameters
    ----------
    path, scale, only, data, out
        As in `run_study`.

    Raises
    ------
    StudyError, UnknownNameError
        If the study file is wrong, or there is no such scale or stage.
    ResultsError
        If the ledger or the measured costs are damaged.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "rules.yaml")
    >>> _ = path.write_text('''
    ... distributions:
    ...   MIS-milplib-small: {test: 4}
    ... evaluation:
    ...   policies: [pscost]
    ...   time_limit: 60
    ... ''')
    >>> [planned.state for planned in plan_study(path).todo]
    ['to do', 'to do', 'to do']
    """
    study, bench = opened_study(path, scale=scale, only=only, data=data, out=out)
    return planned_study(study, Path(path), bench, Ledger(bench), only)


def opened_study(
    path: str | os.PathLike[str],
    *,
    scale: str,
    only: Collection[str],
    data: str | os.PathLike[str],
    out: str | os.PathLike[str] | None,
) -> tuple[Study, Bench]:
    """Read a study, and say where it works."""
    for stage in only:
        if stage not in STAGES:
            raise UnknownNameError("stage", stage, STAGES)
    study = load_study(path, scale=scale)
    results = Path(path).with_suffix("") / scale if out is None else Path(out)
    return study, Bench(data=Path(data).absolute(), results=results.absolute())


def planned_study(
    study: Study, path: Path, bench: Bench, ledger: Ledger, only: Collection[str]
) -> StudyPlan:
    """Cut a study into pieces, and find which of them are to be done."""
    costs = Costs(path.parent / COSTS)
    pieces = study_pieces(study)
    states: dict[Piece, str] = {}
    for piece in pieces:
        is_goal = piece.stage in only if only else bool(piece.outputs)
        if is_goal:
            _need(piece, states, ledger, as_input=False)
    for piece in pieces:
        if piece not in states:
            states[piece] = "done" if ledger.has(piece) else "not needed"
    return StudyPlan(
        study=study,
        data=bench.data,
        results=bench.results,
        pieces=tuple(
            PlannedPiece(piece=piece, state=states[piece], cost=costs.estimate(piece))
            for piece in pieces
        ),
    )


def _need(piece: Piece, states: dict[Piece, str], ledger: Ledger, *, as_input: bool) -> None:
    """Find what must be done, so that a piece is done; or so that others can work with it."""
    if states.get(piece) == "to do":
        return
    if ledger.has(piece) and not (as_input and not ledger.is_at_hand(piece)):
        states[piece] = "done"
        return
    if ledger.can_adopt(piece) and not (as_input and not ledger.is_at_hand(piece)):
        states[piece] = "there"
        return
    states[piece] = "to do"
    for before in piece.inputs:
        _need(before, states, ledger, as_input=True)
