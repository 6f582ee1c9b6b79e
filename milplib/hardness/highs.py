"""HiGHS as a second solver, through highspy, which is imported on demand."""

from __future__ import annotations

import ctypes
import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from milplib.errors import InstanceError, MilplibError, MissingPackageError
from milplib.execution.isolated_solve import SOLVED
from milplib.hardness.measurement import Measurement, percent_gap, relative_gap
from milplib.instance import Instance
from milplib.outcomes import SolveStatus

__all__ = ["HighsSolver"]

# HiGHS statuses that have a SCIP counterpart.
_STATUS = {
    "kOptimal": SolveStatus.OPTIMAL,
    "kInfeasible": SolveStatus.INFEASIBLE,
    "kUnbounded": SolveStatus.UNBOUNDED,
    "kUnboundedOrInfeasible": SolveStatus.INFEASIBLE_OR_UNBOUNDED,
    "kTimeLimit": SolveStatus.TIME_LIMIT,
    "kMemoryLimit": SolveStatus.MEMORY_LIMIT,
    "kInterrupt": SolveStatus.INTERRUPTED,
}
_FEASIBLE = 2
"""HiGHS's primal solution status if a solution exists."""


@dataclass(frozen=True)
class HighsSolver:
    """HiGHS on one thread with its default settings, except for a relative gap limit of 0.

    Raises
    ------
    MissingPackageError
        If highspy is not installed.

    Notes
    -----
    The model is passed as arrays. HiGHS defines the gap of its own integral differently. Here
    SCIP's gap is integrated over the values that HiGHS reports to its callback at every check of
    its limits, so that the integrals of both solvers are comparable. By default, HiGHS stops at a
    relative gap below 1e-4, and SCIP does not; the gap limit of 0 makes both prove the optimum.

    Examples
    --------
    >>> HighsSolver().label.split()[0]
    'HiGHS'
    """

    def __post_init__(self) -> None:
        _highspy()

    @property
    def label(self) -> str:
        """``HiGHS`` with its version."""
        highspy = _highspy()
        parts = ("MAJOR", "MINOR", "PATCH")
        return "HiGHS " + ".".join(str(getattr(highspy, f"HIGHS_VERSION_{p}")) for p in parts)

    def measure(self, instance: Instance, *, time_limit: float, seed: int) -> Measurement:
        """Solve an instance; see `Solver.measure`."""
        highspy = _highspy()
        highs = _silent_highs(highspy)
        options = {
            "threads": 1,
            "parallel": "off",
            "time_limit": float(time_limit),
            "random_seed": int(seed),
            "mip_rel_gap": 0.0,
        }
        for name, value in options.items():
            if highs.setOptionValue(name, value) != highspy.HighsStatus.kOk:
                raise MilplibError(f"HiGHS does not take {value!r} for its option {name}")
        _pass(instance, highs, highspy)
        integral = _GapIntegral()
        highs.setCallback(integral.observe, None)
        highs.startCallback(highspy.cb.HighsCallbackType.kCallbackMipInterrupt)
        if highs.run() == highspy.HighsStatus.kError:
            status = highs.modelStatusToString(highs.getModelStatus())
            raise MilplibError(f"HiGHS failed and ended with status {status}")
        return _measured(instance, highs, integral)


def _highspy() -> ModuleType:
    try:
        import highspy
    except ImportError as error:
        raise MissingPackageError("HiGHS is not installed: pip install 'milplib[highs]'") from error
    return highspy


def _silent_highs(highspy: ModuleType) -> Any:
    """Create a solver that writes nothing to standard output."""
    # Some releases print their version on creation, before an option can be set.
    with _nothing_on_stdout():
        highs = highspy.Highs()
        highs.setOptionValue("output_flag", False)
    return highs


@contextmanager
def _nothing_on_stdout() -> Iterator[None]:
    """Discard what C code writes to standard output in the block."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
    library = ctypes.CDLL(None)
    try:
        library.fflush(None)  # keep earlier output
        kept = os.dup(1)
    except OSError:  # standard output does not exist
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 1)
        yield
    finally:
        library.fflush(None)
        os.dup2(kept, 1)
        os.close(kept)


def _pass(instance: Instance, highs: Any, highspy: ModuleType) -> None:
    """Pass the arrays of an instance to HiGHS.

    Raises
    ------
    InstanceError
        If HiGHS rejects them.
    """
    sense = highspy.ObjSense
    matrix = instance.A
    status = highs.passModel(
        instance.n_columns,
        instance.n_rows,
        instance.n_nonzeros,
        int(highspy.MatrixFormat.kRowwise),
        int(sense.kMinimize if instance.sense == "minimize" else sense.kMaximize),
        instance.offset,
        instance.objective,
        instance.lower,
        instance.upper,
        instance.row_lower,
        instance.row_upper,
        matrix.indptr.astype(np.int32),
        matrix.indices,
        matrix.data,
        instance.integrality.astype(np.int32),
    )
    if status == highspy.HighsStatus.kError:
        raise InstanceError(
            "HiGHS does not take the instance: a number in it is too large, 1e15 in the matrix or "
            "1e20 elsewhere"
        )


class _GapIntegral:
    """Integral of the gap over time, from HiGHS's reports while it solves a MIP."""

    def __init__(self) -> None:
        self._time = 0.0
        self._gap = 100.0
        self._sum = 0.0

    def observe(self, kind: Any, message: str, data: Any, answer: Any, user: Any) -> None:
        """Update the integral from a report; HiGHS calls this."""
        self._advance(data.running_time)
        self._gap = percent_gap(data.mip_primal_bound, data.mip_dual_bound)

    def until(self, time: float) -> float:
        """Return the integral in percent-seconds up to `time`, which follows the last report."""
        self._advance(time)
        return self._sum

    def _advance(self, time: float) -> None:
        self._sum += self._gap * max(0.0, time - self._time)
        self._time = max(self._time, time)


def _measured(instance: Instance, highs: Any, integral: _GapIntegral) -> Measurement:
    info, name = highs.getInfo(), highs.getModelStatus().name
    status = _STATUS.get(name, name.removeprefix("k").lower())
    objective, bound = None, _no_bound(instance)
    if name == "kModelEmpty":
        status, objective = _without_columns(instance)
    elif info.primal_solution_status == _FEASIBLE and status != SolveStatus.UNBOUNDED:
        objective = float(info.objective_function_value)
    if status == SolveStatus.INFEASIBLE:
        bound = -bound
    elif status == SolveStatus.OPTIMAL and objective is not None:
        bound = objective
    elif instance.integrality.any():  # an LP has no bound before its end
        bound = float(info.mip_dual_bound)
    solved, time = status in SOLVED, float(highs.getRunTime())
    return Measurement(
        status=status,
        solved=solved,
        time=time,
        nodes=max(0, int(info.mip_node_count)),  # -1 for an LP
        gap=0.0 if solved else relative_gap(objective, bound),
        primal_dual_integral=integral.until(time),
        branchings=None,
        objective=objective,
        dual_bound=bound,
    )


def _no_bound(instance: Instance) -> float:
    return -math.inf if instance.sense == "minimize" else math.inf


def _without_columns(instance: Instance) -> tuple[str, float | None]:
    """Return status and objective without columns, because HiGHS ignores the rows then."""
    is_feasible = (instance.row_lower <= 0).all() and (instance.row_upper >= 0).all()
    return (SolveStatus.OPTIMAL, instance.offset) if is_feasible else (SolveStatus.INFEASIBLE, None)
