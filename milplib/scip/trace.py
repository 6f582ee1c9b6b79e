"""Primal and dual bounds of a solve over time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyscipopt
from pyscipopt import SCIP_EVENTTYPE

from milplib.display import Shown
from milplib.scip.plugins import WeakModel

__all__ = ["MAX_POINTS", "Trace", "TraceRecorder"]

MAX_POINTS = 1000
"""Approximate maximum length; a trace of more than twice as many points drops every second."""

Point = tuple[float, float, float]
_EVENTS = (SCIP_EVENTTYPE.BESTSOLFOUND, SCIP_EVENTTYPE.DUALBOUNDIMPROVED)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Trace(Shown):
    """Bounds of a solve, each valid from its point in time to the next.

    Parameters
    ----------
    time
        Wall-clock seconds since the solve began, ascending. Shape (points,), float64.
    primal
        Objective value of the best solution, in the instance's sense; NaN before the first
        solution. Shape (points,), float64.
    dual
        Best dual bound, in the instance's sense; NaN before the first finite bound. Shape
        (points,), float64.
    """

    time: npt.NDArray[np.float64]
    primal: npt.NDArray[np.float64]
    dual: npt.NDArray[np.float64]

    @classmethod
    def of(cls, points: Iterable[Iterable[float]]) -> Trace:
        """Make a trace from points (time, primal bound, dual bound).

        Examples
        --------
        >>> trace = Trace.of([(0.0, math.nan, 3.0), (0.5, 7.0, 3.0)])
        >>> trace.time.tolist(), trace.primal.tolist()
        ([0.0, 0.5], [nan, 7.0])
        """
        array = np.array([tuple(point) for point in points], dtype=np.float64).reshape(-1, 3)
        array.flags.writeable = False
        return cls(time=array[:, 0], primal=array[:, 1], dual=array[:, 2])

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.time)

    def points(self) -> list[Point]:
        """List the points (time, primal bound, dual bound)."""
        return list(zip(self.time.tolist(), self.primal.tolist(), self.dual.tolist(), strict=True))


class TraceRecorder(WeakModel, pyscipopt.Eventhdlr):  # type: ignore[misc, unused-ignore]
    """Event handler that records the bounds of a solve at each improvement.

    It only reads, so it does not change the solve. Each improvement costs up to 0.2 milliseconds.

    Examples
    --------
    >>> from milplib.generators import SetCover
    >>> model = SetCover(n_rows=50, n_columns=60, density=0.1).generate(seed=0).to_scip()
    >>> model.hideOutput()
    >>> recorder = TraceRecorder()
    >>> model.includeEventhdlr(recorder, "trace", "records the bounds over time")
    >>> model.optimize()
    >>> trace = recorder.trace()
    >>> len(trace) >= 1, bool((np.diff(trace.time) >= 0).all())
    (True, True)
    """

    def __init__(self) -> None:
        self._points: list[Point] = []
        self._primal = math.nan

    def eventinit(self) -> None:
        """Start recording."""
        self._points, self._primal = [], math.nan
        self._caught = _EVENTS  # globals are gone if the interpreter frees the model
        for event in self._caught:
            self.model.catchEvent(event, self)

    def eventexit(self) -> None:
        """Stop recording."""
        model = self.model
        if model is None:  # freed in a cycle of references
            return
        for event in self._caught:
            model.dropEvent(event, self)

    def eventexec(self, event: pyscipopt.scip.Event) -> None:
        """Record the bounds."""
        model = self.model
        if event.getType() == SCIP_EVENTTYPE.BESTSOLFOUND:
            # SCIP's primal bound is unsuitable: a cut-off changes it without a solution.
            self._primal = float(model.getSolObjVal(model.getBestSol()))
        dual = float(model.getDualbound())
        if abs(dual) >= model.infinity():
            dual = math.nan
        point = (float(model.getSolvingTime()), self._primal, dual)
        if not self._points or _differ(self._points[-1], point):
            self._points.append(point)
        if len(self._points) > 2 * MAX_POINTS:
            # The remaining points stay exact; some improvements appear slightly late.
            del self._points[1::2]

    def trace(self, *, end: Point | None = None) -> Trace:
        """Return the recorded trace.

        Parameters
        ----------
        end
            Time and bounds at the end of the solve, appended as the last point.
        """
        return Trace.of([*self._points, *([end] if end else [])])


def _differ(one: Point, other: Point) -> bool:
    return not np.array_equal(one[1:], other[1:], equal_nan=True)
