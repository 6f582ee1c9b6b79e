"""The 72 features of a branching candidate of Khalil et al. 2016, as a block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pyscipopt import SCIP_BRANCHDIR

from milplib.scip.candidate_rows import LpRows, features_of_rows
from milplib.scip.cutoffs import cutoffs_and_branchings
from milplib.scip.extraction import branching_candidates, extract_state
from milplib.scip.state import VARIABLE_FEATURES

if TYPE_CHECKING:
    import pyscipopt

__all__ = ["KHALIL_FEATURES", "KhalilBlock"]

_Floats = npt.NDArray[np.float64]

_STATISTICS = ("mean", "deviation", "min", "max")
_WEIGHTS = ("unit", "all", "candidates", "dual")
KHALIL_FEATURES: tuple[str, ...] = (
    *("objective", "objective_positive_part", "objective_negative_part", "constraints"),
    *(f"degree_{name}" for name in _STATISTICS),
    *(f"{s}_coefficients_{name}" for s in ("positive", "negative")
      for name in ("count", *_STATISTICS)),
    *("slack", "ceil_distance"),
    *("pseudocost_up", "pseudocost_down", "pseudocost_ratio", "pseudocost_sum",
      "pseudocost_product"),
    *("cutoffs_up", "cutoffs_down", "cutoff_share_up", "cutoff_share_down"),
    *(f"node_degree_{name}" for name in _STATISTICS),
    *(f"degree_ratio_{name}" for name in ("mean", "min", "max")),
    *(f"{s}_side_ratio_{name}" for s in ("positive", "negative") for name in ("min", "max")),
    *(f"{own}_to_{other}_ratio_{name}" for own in ("positive", "negative")
      for other in ("positive", "negative") for name in ("min", "max")),
    *(f"active_{weight}_{name}" for weight in _WEIGHTS
      for name in ("count", "sum", *_STATISTICS)),
)  # fmt: skip
"""Names of the columns of the block ``khalil``, in order."""

_LIMIT = 1e20
_SMALLEST_PSEUDOCOST = 1e-5
_FRACTION = VARIABLE_FEATURES.index("solution_frac")


class KhalilBlock:
    r"""What Khalil et al. 2016 tell a ranking model of a branching candidate: 72 features.

    One line a candidate. All numbers belong to SCIP's transformed problem (a minimisation) and
    the current node's LP; a row is a row of that LP with a finite side, and the rows of a
    candidate are those in which it has a coefficient :math:`a \ne 0`. Statistics of nothing are
    0. A deviation is a standard deviation, divided by the number of values.

    ========================================= ==================================================
    columns                                   meaning
    ========================================= ==================================================
    *static: of the problem*
    ``objective``                             objective coefficient
    ``objective_positive_part``,              max(objective, 0), min(objective, 0)
    ``objective_negative_part``
    ``constraints``                           number of its constraints
    ``degree_*``                              mean, deviation, min and max of its constraints'
                                              degrees, their numbers of columns
    ``positive_coefficients_*``,              count, mean, deviation, min and max of its positive
    ``negative_coefficients_*``               (negative) coefficients in its constraints
    *dynamic: of the node*
    ``slack``, ``ceil_distance``              min(f, 1 - f) and 1 - f, f the fractionality of
                                              its LP value
    ``pseudocost_up``, ``pseudocost_down``    u = pseudocost upwards · (1 - f), d = pseudocost
                                              downwards · f
    ``pseudocost_ratio``                      min(u, d) / max(u, d), both at least 1e-5
    ``pseudocost_sum``, ``_product``          u + d, u · d
    ``cutoffs_up``, ``cutoffs_down``          how often branching on it upwards (downwards) was
                                              cut off so far
    ``cutoff_share_up``, ``_down``            the same / max(1, branchings upwards (downwards))
    ``node_degree_*``                         mean, deviation, min and max over its rows of the
                                              number of columns that are not fixed at the node
    ``degree_ratio_*``                        mean, min and max of ``degree_*`` / those of
                                              ``node_degree_*``
    ``positive_side_ratio_*``,                min and max of a / (\|a\| + \|b\|) over the sides
    ``negative_side_ratio_*``                 :math:`a x + \dots \le b` of its rows with
                                              :math:`b \ge 0` (:math:`b < 0`)
    ``positive_to_positive_ratio_*`` to       min and max of \|a\| / (\|a\| + s) over its rows
    ``negative_to_negative_ratio_*``          with a positive (negative) a, s the sum of the
                                              absolute positive (negative) coefficients of
                                              all other columns
    ``active_W_count``                        sum of the weights w of its active rows
    ``active_W_sum``, ``_mean``,              of w · \|a\| over its active rows
    ``_deviation``, ``_min``, ``_max``
    ========================================= ==================================================

    The weights W of an active row are ``unit``: 1; ``all``: 1 / sum of its absolute
    coefficients; ``candidates``: 1 / that sum over the branching candidates; ``dual``: its
    absolute dual value.

    Notes
    -----
    The paper names the features; what it leaves open is chosen so:

    - A constraint, for the static features, is a row that SCIP may not remove from the LP and
      that holds globally: the model's own rows without cuts and local rows. A node has them all,
      until SCIP restarts or drops a redundant one for good; so the static columns need no memory
      of the root, and a state is the same whichever nodes were looked at before it.
    - The infeasibility statistics count what the paper's strong branching found while it
      collected data. A policy does no strong branching: SCIP's counters of branchings that ended
      in a cut-off stand for them, by direction instead of "one" and "two" children.
    - The degree at a node leaves columns out whose local bounds fix them.
    - Ratios "to" something, which may be 0, are a / (\|a\| + \|that\|), a monotone function of
      a / \|that\|. Extremes over nothing are the neutral ones of the ratio's range: a minimum of
      1, and a maximum of -1 (sides) or 0 (columns).
    - A two-sided row gives two sides to the side ratios, the left one negated; elsewhere it is
      one row, with the signs that it has in SCIP.
    - A row is active where the state's ``is_tight`` says so of one of its sides.
    - Numbers beyond 1e20, SCIP's infinity, are cut there.

    Coefficients are those of the state times the row's norm, so they are SCIP's but for the last
    digit.

    References
    ----------
    Khalil, Le Bodic, Song, Nemhauser, Dilkina, "Learning to Branch in Mixed Integer Programming",
    AAAI 2016, table 1.

    Examples
    --------
    >>> block = KhalilBlock()
    >>> len(block.columns), block.columns[:2], block.columns[-1]
    (72, ('objective', 'objective_positive_part'), 'active_dual_max')
    """

    name = "khalil"
    version = 1
    columns = KHALIL_FEATURES

    def extract(self, model: pyscipopt.Model) -> _Floats:
        """Extract the block. Shape (k, 72), float64."""
        state = extract_state(model, dtype=np.float64)
        up, down = SCIP_BRANCHDIR.UPWARDS, SCIP_BRANCHDIR.DOWNWARDS
        variables = branching_candidates(model)
        numbers = [
            (v.getObj(), model.getVarPseudocost(v, up), model.getVarPseudocost(v, down))
            for v in variables
        ]
        objective, pseudocost_up, pseudocost_down = (
            np.array(numbers, dtype=np.float64).reshape(len(variables), 3).T
        )
        fraction = state.variable_features[state.candidates, _FRACTION]
        of_rows = features_of_rows(LpRows.of(model, state), state)
        features = np.hstack(
            (
                np.vstack((objective, np.maximum(objective, 0), np.minimum(objective, 0))).T,
                of_rows[:, :15],
                _fractions_and_pseudocosts(fraction, pseudocost_up, pseudocost_down),
                _cutoffs(variables),
                of_rows[:, 15:],
            )
        )
        found: _Floats = np.clip(features, -_LIMIT, _LIMIT)
        return found


def _fractions_and_pseudocosts(fraction: _Floats, up: _Floats, down: _Floats) -> _Floats:
    """Columns 18 to 24."""
    up, down = up * (1.0 - fraction), down * fraction
    least_up, least_down = (np.maximum(p, _SMALLEST_PSEUDOCOST) for p in (up, down))
    ratio = np.minimum(least_up, least_down) / np.maximum(least_up, least_down)
    with np.errstate(over="ignore"):  # cut at the end
        product = up * down
    slack = np.minimum(fraction, 1.0 - fraction)
    return np.vstack((slack, 1.0 - fraction, up, down, ratio, up + down, product)).T


def _cutoffs(variables: list[pyscipopt.Variable]) -> _Floats:
    """Columns 25 to 28."""
    found = cutoffs_and_branchings(variables)
    cutoffs, branchings = found[:, :2], found[:, 2:]
    return np.hstack((cutoffs, cutoffs / np.maximum(branchings, 1.0)))
