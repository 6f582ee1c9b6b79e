"""Solvers to measure hardness with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from milplib.arguments import checked
from milplib.errors import UnknownNameError
from milplib.execution.isolated_solve import SOLVED
from milplib.hardness.highs import HighsSolver
from milplib.hardness.measurement import Measurement
from milplib.instance import Instance
from milplib.scip.versions import scip_version
from milplib.solving import solve

__all__ = ["SOLVERS", "ScipSolver", "Solver", "load_solver"]


class Solver(Protocol):
    """Solver that measures its solve of an instance on one thread."""

    @property
    def label(self) -> str:
        """Name and version, as printed beside every level."""

    def measure(self, instance: Instance, *, time_limit: float, seed: int) -> Measurement:
        """Solve an instance, to proven optimality if the limit allows.

        Parameters
        ----------
        instance
            Instance to solve.
        time_limit
            Time limit in wall-clock seconds.
        seed
            Seed of the solver's random decisions.
        """


@dataclass(frozen=True)
class ScipSolver:
    """SCIP with its default settings and branching rule, ``relpscost``.

    Examples
    --------
    >>> from milplib.generators import SetCover
    >>> instance = SetCover(n_rows=50, n_columns=60, density=0.1).generate(seed=0)
    >>> measurement = ScipSolver().measure(instance, time_limit=60, seed=0)
    >>> measurement.status, measurement.solved, measurement.gap
    ('optimal', True, 0.0)
    """

    @property
    def label(self) -> str:
        """``SCIP`` with its version."""
        return f"SCIP {scip_version()}"

    def measure(self, instance: Instance, *, time_limit: float, seed: int) -> Measurement:
        """Solve an instance; see `Solver.measure`."""
        result = solve(instance, policy="relpscost", time_limit=time_limit, seed=seed)
        return Measurement(
            status=result.status,
            solved=result.status in SOLVED,
            time=result.time,
            nodes=result.nodes,
            gap=0.0 if result.status in SOLVED else result.gap,
            primal_dual_integral=result.primal_dual_integral,
            branchings=result.branchings,
            objective=result.objective,
            dual_bound=result.dual_bound,
        )


SOLVERS: dict[str, type[Solver]] = {"scip": ScipSolver, "highs": HighsSolver}
"""Solvers by name."""


@checked
def load_solver(name: str) -> Solver:
    """Return a solver by its name.

    Raises
    ------
    UnknownNameError
        If no solver has this name.
    MissingPackageError
        If the solver is not installed.

    Examples
    --------
    >>> load_solver("scip").label.split()[0]
    'SCIP'
    """
    if name not in SOLVERS:
        raise UnknownNameError("solver", name, SOLVERS)
    return SOLVERS[name]()
