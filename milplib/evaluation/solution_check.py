"""Whether a solution is one: checked on the arrays of the instance, without any solver's code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from milplib.instance import Instance

__all__ = ["FEASIBILITY_TOLERANCE", "Violation", "violations"]

FEASIBILITY_TOLERANCE = 1e-6
"""SCIP's ``numerics/feastol``: how far a side, a bound or integrality may be missed."""

ROUNDING = 1e-12
"""What the order of a sum may change, relative to the sum of the absolute terms."""

Values = npt.NDArray[np.float64]


class Violation(NamedTuple):
    """Something that a solution violates.

    Parameters
    ----------
    what
        Which row, column or value, in words.
    amount
        By how much, relative to max(1, |value|, |side|); absolute for integrality. Infinite
        for a value that is not finite.
    """

    what: str
    amount: float

    def __str__(self) -> str:
        """Say it in words."""
        return f"{self.what} (by {self.amount:.3g})"


def violations(
    instance: Instance,
    solution: npt.ArrayLike,
    *,
    objective: float | None = None,
    tolerance: float = FEASIBILITY_TOLERANCE,
) -> tuple[Violation, ...]:
    """Look for what a solution violates: rows, bounds, integrality, and its claimed objective.

    Parameters
    ----------
    instance
        The instance as it was read, before any solver changed it.
    solution
        Values of the columns. Shape (n,).
    objective
        The value that is claimed for it, in the instance's own sense; not checked if None.
    tolerance
        How far a side or bound may be missed relative to max(1, |value|, |side|), as SCIP
        compares; how far an integer column may be from an integer; how far the objective may be
        off relative to max(1, |objective|).

    Returns
    -------
    tuple of Violation
        The worst one of every kind; empty if there is none.

    Examples
    --------
    >>> knapsack = Instance(
    ...     objective=[5.0, 4.0], A=[[2.0, 3.0]], row_lower=[-np.inf], row_upper=[4.0],
    ...     lower=[0, 0], upper=[1, 1], integrality=[1, 1], sense="maximize")
    >>> violations(knapsack, [1.0, 0.0], objective=5.0)
    ()
    >>> print(*violations(knapsack, [1.0, 1.0], objective=9.0))
    the row C1 has the value 5 and the sides [-inf, 4] (by 0.2)
    """
    values = np.asarray(solution, dtype=np.float64)
    if values.shape != (instance.n_columns,):
        what = f"the solution has shape {values.shape}, not ({instance.n_columns},)"
        return (Violation(what, np.inf),)
    if not np.isfinite(values).all():
        column = instance.column_names[int(np.argmin(np.isfinite(values)))]
        return (Violation(f"the column {column} has a value that is not finite", np.inf),)
    return tuple(_found(instance, values, objective, tolerance))


def _found(
    instance: Instance, values: Values, objective: float | None, tolerance: float
) -> Iterator[Violation]:
    activity = np.asarray(instance.A @ values)
    # Large terms that cancel out leave rounding errors larger than what is left.
    rounding = ROUNDING * np.asarray(abs(instance.A) @ np.abs(values))
    for what, names, value, lower, upper, slack in (
        ("row", instance.row_names, activity, instance.row_lower, instance.row_upper, rounding),
        ("column", instance.column_names, values, instance.lower, instance.upper, 0.0),
    ):
        amounts = _outside(value, lower, upper, slack)
        if amounts.size and amounts.max() > tolerance:
            n = int(amounts.argmax())
            sides = "sides" if what == "row" else "bounds"
            yield Violation(
                f"the {what} {names[n]} has the value {value[n]:.12g} and the {sides} "
                f"[{lower[n]:.12g}, {upper[n]:.12g}]",
                float(amounts[n]),
            )
    fractions = np.where(instance.integrality == 1, np.abs(values - np.round(values)), 0.0)
    if fractions.size and fractions.max() > tolerance:
        n = int(fractions.argmax())
        yield Violation(
            f"the integer column {instance.column_names[n]} has the value {values[n]:.12g}",
            float(fractions[n]),
        )
    if objective is None:
        return
    own = float(instance.objective @ values) + instance.offset
    terms = float(np.abs(instance.objective) @ np.abs(values)) + abs(instance.offset)
    off = max(abs(own - objective) - ROUNDING * terms, 0.0) / max(1.0, abs(own), abs(objective))
    if not off <= tolerance:  # true for a claim that is not a number, too
        what = f"the objective is {own:.12g}, not {objective:.12g} as claimed"
        yield Violation(what, float(off))


def _outside(value: Values, lower: Values, upper: Values, slack: Values | float) -> Values:
    """How far values are outside of their sides, relative to max(1, |value|, |side|)."""
    amounts = np.zeros(len(value))
    for side, distance in ((lower, lower - value), (upper, value - upper)):
        # Sides that are infinite are never missed: the distance is -inf.
        scale = np.maximum(1.0, np.maximum(np.abs(value), np.where(np.isinf(side), 0.0, abs(side))))
        amounts = np.maximum(amounts, (distance - slack) / scale)
    return amounts
