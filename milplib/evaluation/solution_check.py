"""Feasibility check of a solution on the instance's arrays, without any solver's code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from milplib.instance import Instance

__all__ = ["FEASIBILITY_TOLERANCE", "Violation", "violations"]

FEASIBILITY_TOLERANCE = 1e-6
"""Tolerance for sides, bounds and integrality: SCIP's ``numerics/feastol``."""

ROUNDING = 1e-12
"""Rounding error of a sum, relative to the sum of the absolute terms."""

Values = npt.NDArray[np.float64]


class Violation(NamedTuple):
    """Violation of a row, a bound, integrality or the objective.

    Parameters
    ----------
    what
        Description of the violated row, column or value.
    amount
        Size of the violation relative to max(1, |value|, |side|); absolute for integrality.
        Infinite for a value that is not finite.
    """

    what: str
    amount: float

    def __str__(self) -> str:
        """Describe the violation and its size."""
        return f"{self.what} (by {self.amount:.3g})"


def violations(
    instance: Instance,
    solution: npt.ArrayLike,
    *,
    objective: float | None = None,
    tolerance: float = FEASIBILITY_TOLERANCE,
) -> tuple[Violation, ...]:
    """Check a solution against rows, bounds, integrality and its claimed objective.

    Parameters
    ----------
    instance
        Instance as read, before any solver changed it.
    solution
        Values of the columns. Shape (n,), float64.
    objective
        Claimed objective value, in the instance's own sense; None to skip the check.
    tolerance
        Largest accepted violation. Sides and bounds are relative to max(1, |value|, |side|), as
        in SCIP; integrality is absolute; the objective is relative to max(1, |objective|).

    Returns
    -------
    tuple of Violation
        Worst violation of every kind; empty for a feasible solution.

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
        text = f"the solution has shape {values.shape}, not ({instance.n_columns},)"
        return (Violation(text, np.inf),)
    if not np.isfinite(values).all():
        column = instance.column_names[int(np.argmin(np.isfinite(values)))]
        return (Violation(f"the column {column} has a value that is not finite", np.inf),)
    return tuple(_violations(instance, values, objective, tolerance))


def _violations(
    instance: Instance, values: Values, objective: float | None, tolerance: float
) -> Iterator[Violation]:
    activity = np.asarray(instance.A @ values)
    # Cancellation of large terms leaves rounding errors larger than the sum.
    rounding = ROUNDING * np.asarray(abs(instance.A) @ np.abs(values))
    for noun, names, value, lower, upper, slack in (
        ("row", instance.row_names, activity, instance.row_lower, instance.row_upper, rounding),
        ("column", instance.column_names, values, instance.lower, instance.upper, 0.0),
    ):
        amounts = _outside(value, lower, upper, slack)
        if amounts.size and amounts.max() > tolerance:
            n = int(amounts.argmax())
            sides = "sides" if noun == "row" else "bounds"
            yield Violation(
                f"the {noun} {names[n]} has the value {value[n]:.12g} and the {sides} "
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
    if not off <= tolerance:  # also true for NaN
        text = f"the objective is {own:.12g}, not {objective:.12g} as claimed"
        yield Violation(text, float(off))


def _outside(value: Values, lower: Values, upper: Values, slack: Values | float) -> Values:
    """Return how far values violate their sides, relative to max(1, |value|, |side|)."""
    amounts = np.zeros(len(value))
    for side, distance in ((lower, lower - value), (upper, value - upper)):
        # The distance to an infinite side is -inf, so such a side is never violated.
        scale = np.maximum(1.0, np.maximum(np.abs(value), np.where(np.isinf(side), 0.0, abs(side))))
        amounts = np.maximum(amounts, (distance - slack) / scale)
    return amounts
