"""A study run: what is missing is made, piece by piece, and kept."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pyscipopt

from milplib.errors import MilplibError, MilplibWarning
from milplib.execution import (
    Execution,
    TaskFailure,
    WorkerDiedError,
    execution_or_workers,
    run_tasks,
)
from milplib.files import exclusive_lock, make_folder
from milplib.scip.versions import scip_version
from milplib.study.costs import COSTS, Costs
from milplib.study.errors import StudyError
from milplib.study.ledger import Ledger
from milplib.study.piece import STAGES, Bench, Made, Piece, digest_of
from milplib.study.planning import DATA, StudyPlan, opened_study, planned_study
from milplib.study.reading import FULL
from milplib.version import __version__

__all__ = ["ChangedWarning", "StudyProgress", "run_study"]


class ChangedWarning(MilplibWarning):
    """A piece that was made again gave something else than the ledger says."""


@dataclass(frozen=True)
class StudyProgress:
    """How far a study is: the stage, its pieces done and in all, what is done within one."""

    stage: str
    done: int
    total: int
    piece: str = ""
    inside: tuple[int, int] = (0, 0)
    note: str = ""


def run_study(
    path: str | os.PathLike[str],
    *,
    scale: str = FULL,
    only: Collection[str] = (),
    workers: int = 1,
    execution: Execution | None = None,
    data: str | os.PathLike[str] = DATA,
    out: str | os.PathLike[str] | None = None,
    on_progress: Callable[[StudyProgress], None] = lambda progress: None,
) -> StudyPlan:
    """Run a study, or go on with it: whatever is missing is made, each piece kept when it ends.

    What is committed of a piece (a policy file, a table of runs) is never made again, also where
    the samples and instances behind it are not there; these are made again only where something
    that is missing needs them. Pieces of equal content are made once for all studies and scales.

    Parameters
    ----------
    path
        The study file.
    scale
        ``full``, or a name in its section ``scales``.
    only
        Bring only these of `milplib.study.STAGES` up to date, with what they need; all if empty.
    workers
        Number of processes.
    execution
        Where and within which limits samples are collected and policies judged, instead of a
        number of workers. Instances and policies are made on this machine.
    data
        Folder of samples, instances and other work that is not committed.
    out
        Folder of what is committed; beside the study file, by its name and the scale, if None.
    on_progress
        Called as pieces are done, and within them.

    Returns
    -------
    StudyPlan
        As `plan_study` gives it afterwards.

    Raises
    ------
    StudyError, UnknownNameError
        If the study file is wrong, or there is no such scale or stage, or a piece cannot be made.
    OutputError
        If another process runs this study, or files cannot be written.
    ResultsError
        If the ledger or the measured costs are damaged.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "rules.yaml")
    >>> _ = path.write_text('''
    ... distributions:
    ...   MIS-milplib-small: {test: 1}
    ... evaluation:
    ...   policies: [pscost]
    ...   time_limit: 60
    ... ''')
    >>> plan = run_study(path, data=path.parent / "data")
    >>> [planned.state for planned in plan.pieces], plan.results.name
    (['done', 'done', 'done'], 'full')
    """
    execution = execution_or_workers(execution, workers)
    study, bench = opened_study(path, scale=scale, only=only, data=data, out=out)
    bench = replace(bench, execution=execution)
    make_folder(bench.data)
    make_folder(bench.results)
    costs = Costs(Path(path).parent / COSTS)
    costs.check()
    lock = bench.data / f"{digest_of(os.fspath(bench.results))[:16]}.lock"
    with exclusive_lock(lock, busy=f"another process runs the study in {bench.results}"):
        ledger = Ledger(bench)
        plan = planned_study(study, Path(path), bench, ledger, only)
        for planned in plan.pieces:
            if planned.state == "there":
                ledger.adopt(planned.piece)
        for stage in STAGES:
            pieces = [planned.piece for planned in plan.todo if planned.piece.stage == stage]
            if pieces:
                _run_stage(stage, pieces, bench, ledger, costs, on_progress)
        return planned_study(study, Path(path), bench, ledger, only)


def _run_stage(
    stage: str,
    pieces: Sequence[Piece],
    bench: Bench,
    ledger: Ledger,
    costs: Costs,
    on_progress: Callable[[StudyProgress], None],
) -> None:
    done = 0

    def show(piece: Piece, inside: int, of: int, note: str) -> None:
        on_progress(StudyProgress(stage, done, len(pieces), piece.label, (inside, of), note))

    on_progress(StudyProgress(stage, 0, len(pieces)))
    software = _software()
    for done, (piece, result) in enumerate(_results(pieces, bench, ledger, show), 1):
        known = ledger.digest(piece)
        if known is not None and known != result.made.digest:
            warnings.warn(
                f"{stage}: {piece.label}: what was made now differs from what the ledger says was "
                "made before; what was made of it then stays",
                ChangedWarning,
                stacklevel=3,
            )
        ledger.keep(piece, result.made, seconds=result.seconds, software=software)
        if result.is_fresh and result.made.units:
            costs.learn(piece, seconds=result.seconds, units=result.made.units)
        on_progress(StudyProgress(stage, done, len(pieces), piece.label))


@dataclass(frozen=True)
class _Result:
    """What a piece made, in how many seconds of a core, and whether all of it was done now."""

    made: Made
    seconds: float
    is_fresh: bool


def _results(
    pieces: Sequence[Piece],
    bench: Bench,
    ledger: Ledger,
    on_progress: Callable[[Piece, int, int, str], None],
) -> Iterator[tuple[Piece, _Result]]:
    """Do the pieces of a stage; give each as it ends."""
    for piece in pieces:
        make_folder(bench.folder(piece))
    for group, is_beside in groups_of(pieces, bench.execution):
        now = replace(bench, facts=ledger.facts)
        if is_beside:
            yield from _side_by_side(group, now)
            continue
        for piece in group:
            yield piece, _worked((piece, replace(now, on_progress=partial(on_progress, piece))))


def groups_of(
    pieces: Sequence[Piece], execution: Execution
) -> Iterator[tuple[Sequence[Piece], bool]]:
    """Give a stage's pieces in groups, one after the other: whether each runs side by side."""
    workers = execution.workers
    # Those that are spread come first: what chooses among their results waits for them.
    spread = [piece for piece in pieces if piece.is_spread]
    is_enough = len(spread) >= workers and all(piece.is_isolating for piece in spread)
    yield spread, workers > 1 and is_enough
    yield [piece for piece in pieces if not piece.is_spread], workers > 1


def _side_by_side(pieces: Sequence[Piece], bench: Bench) -> Iterator[tuple[Piece, _Result]]:
    here = replace(bench, execution=replace(bench.execution, workers=1))
    tasks = [(piece, here) for piece in pieces]
    execution = Execution(workers=bench.execution.workers)
    for place, result in run_tasks(_worked, tasks, execution=execution):
        if isinstance(result, TaskFailure):
            message = f"{pieces[place].stage}: {pieces[place].label}: {result}"
            raise WorkerDiedError(message, result.kind)
        yield pieces[place], result


def _worked(task: tuple[Piece, Bench]) -> _Result:
    piece, bench = task
    folder = bench.folder(piece)
    # What a cluster's cores did is not known, nor what was done before.
    is_fresh = bench.execution.cluster is None and not any(folder.iterdir())
    begin = time.monotonic()
    try:
        made = piece.work(bench)
    except StudyError:
        raise
    except MilplibError as error:
        raise StudyError(f"{piece.stage}: {piece.label}: {error}") from error
    seconds = time.monotonic() - begin
    if piece.is_spread:
        seconds *= min(bench.execution.workers, max(1, int(piece.units)))
    return _Result(made, seconds, is_fresh)


def _software() -> dict[str, str]:
    return {
        "milplib": __version__,
        "scip": scip_version(),
        "pyscipopt": pyscipopt.__version__,
    }
