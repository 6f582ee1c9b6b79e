"""The block ``khalil``: the 72 candidate features of Khalil et al. 2016."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pyscipopt import SCIP_BRANCHDIR

from milplib.scip.candidate_rows import LpRows, features_of_rows
from milplib.scip.cutoffs import cutoffs_and_branchings
from milplib.scip.extraction import branching_candidates, extract_state
from milplib.scip.features import Feature, VariableFeature

if TYPE_CHECKING:
    import pyscipopt

__all__ = ["KhalilBlock", "KhalilFeature"]

_Floats = npt.NDArray[np.float64]


class KhalilFeature(Feature):
    r"""Columns of the block ``khalil``, which has one line per candidate.

    All numbers refer to SCIP's transformed problem, a minimisation, and to the LP of the node. The
    candidate's rows are the LP rows that have a finite side and in which its coefficient a is
    nonzero. Its constraints are those rows that SCIP may not remove and that hold globally. The
    degree of a row is its number of columns; at the node, columns that local bounds fix do not
    count.

    f is the fractionality of the candidate's LP value. A side is :math:`a x + \dots \le b`. s is
    the sum of the absolute values of the positive (negative) coefficients of all other columns of
    the row. w is the weight of an active row. A deviation is a population standard deviation.
    Statistics over no values are 0.

    Examples
    --------
    >>> len(KhalilFeature), KhalilFeature.SLACK.meaning, KhalilFeature.columns()[-1]
    (72, 'min(f, 1 - f)', 'active_dual_max')
    """

    OBJECTIVE = "objective coefficient"
    OBJECTIVE_POSITIVE_PART = "max(objective, 0)"
    OBJECTIVE_NEGATIVE_PART = "min(objective, 0)"
    CONSTRAINTS = "number of its constraints"
    DEGREE_MEAN = "mean of its constraints' degrees"
    DEGREE_DEVIATION = "deviation of its constraints' degrees"
    DEGREE_MIN = "minimum of its constraints' degrees"
    DEGREE_MAX = "maximum of its constraints' degrees"
    POSITIVE_COEFFICIENTS_COUNT = "number of its positive coefficients in constraints"
    POSITIVE_COEFFICIENTS_MEAN = "mean of its positive coefficients in constraints"
    POSITIVE_COEFFICIENTS_DEVIATION = "deviation of its positive coefficients in constraints"
    POSITIVE_COEFFICIENTS_MIN = "minimum of its positive coefficients in constraints"
    POSITIVE_COEFFICIENTS_MAX = "maximum of its positive coefficients in constraints"
    NEGATIVE_COEFFICIENTS_COUNT = "number of its negative coefficients in constraints"
    NEGATIVE_COEFFICIENTS_MEAN = "mean of its negative coefficients in constraints"
    NEGATIVE_COEFFICIENTS_DEVIATION = "deviation of its negative coefficients in constraints"
    NEGATIVE_COEFFICIENTS_MIN = "minimum of its negative coefficients in constraints"
    NEGATIVE_COEFFICIENTS_MAX = "maximum of its negative coefficients in constraints"
    SLACK = "min(f, 1 - f)"
    CEIL_DISTANCE = "1 - f"
    PSEUDOCOST_UP = "u = pseudocost upwards · (1 - f)"
    PSEUDOCOST_DOWN = "d = pseudocost downwards · f"
    PSEUDOCOST_RATIO = "min(u, d) / max(u, d), both at least 1e-5"
    PSEUDOCOST_SUM = "u + d"
    PSEUDOCOST_PRODUCT = "u · d"
    CUTOFFS_UP = "branchings on it whose upper child was cut off"
    CUTOFFS_DOWN = "branchings on it whose lower child was cut off"
    CUTOFF_SHARE_UP = "cutoffs_up / max(1, upward branchings)"
    CUTOFF_SHARE_DOWN = "cutoffs_down / max(1, downward branchings)"
    NODE_DEGREE_MEAN = "mean of its rows' degrees at the node"
    NODE_DEGREE_DEVIATION = "deviation of its rows' degrees at the node"
    NODE_DEGREE_MIN = "minimum of its rows' degrees at the node"
    NODE_DEGREE_MAX = "maximum of its rows' degrees at the node"
    DEGREE_RATIO_MEAN = "degree_mean / node_degree_mean"
    DEGREE_RATIO_MIN = "degree_min / node_degree_min"
    DEGREE_RATIO_MAX = "degree_max / node_degree_max"
    POSITIVE_SIDE_RATIO_MIN = "minimum of a / (|a| + |b|) over sides with b >= 0"
    POSITIVE_SIDE_RATIO_MAX = "maximum of a / (|a| + |b|) over sides with b >= 0"
    NEGATIVE_SIDE_RATIO_MIN = "minimum of a / (|a| + |b|) over sides with b < 0"
    NEGATIVE_SIDE_RATIO_MAX = "maximum of a / (|a| + |b|) over sides with b < 0"
    POSITIVE_TO_POSITIVE_RATIO_MIN = "minimum of |a| / (|a| + s) over positive a, positive s"
    POSITIVE_TO_POSITIVE_RATIO_MAX = "maximum of |a| / (|a| + s) over positive a, positive s"
    POSITIVE_TO_NEGATIVE_RATIO_MIN = "minimum of |a| / (|a| + s) over positive a, negative s"
    POSITIVE_TO_NEGATIVE_RATIO_MAX = "maximum of |a| / (|a| + s) over positive a, negative s"
    NEGATIVE_TO_POSITIVE_RATIO_MIN = "minimum of |a| / (|a| + s) over negative a, positive s"
    NEGATIVE_TO_POSITIVE_RATIO_MAX = "maximum of |a| / (|a| + s) over negative a, positive s"
    NEGATIVE_TO_NEGATIVE_RATIO_MIN = "minimum of |a| / (|a| + s) over negative a, negative s"
    NEGATIVE_TO_NEGATIVE_RATIO_MAX = "maximum of |a| / (|a| + s) over negative a, negative s"
    ACTIVE_UNIT_COUNT = "sum of w over its active rows, w = 1"
    ACTIVE_UNIT_SUM = "sum of w · |a| over its active rows, w = 1"
    ACTIVE_UNIT_MEAN = "mean of w · |a|, w = 1"
    ACTIVE_UNIT_DEVIATION = "deviation of w · |a|, w = 1"
    ACTIVE_UNIT_MIN = "minimum of w · |a|, w = 1"
    ACTIVE_UNIT_MAX = "maximum of w · |a|, w = 1"
    ACTIVE_ALL_COUNT = "sum of w over its active rows, w = 1 / the row's sum of |a|"
    ACTIVE_ALL_SUM = "sum of w · |a| over its active rows, w = 1 / the row's sum of |a|"
    ACTIVE_ALL_MEAN = "mean of w · |a|, w = 1 / the row's sum of |a|"
    ACTIVE_ALL_DEVIATION = "deviation of w · |a|, w = 1 / the row's sum of |a|"
    ACTIVE_ALL_MIN = "minimum of w · |a|, w = 1 / the row's sum of |a|"
    ACTIVE_ALL_MAX = "maximum of w · |a|, w = 1 / the row's sum of |a|"
    ACTIVE_CANDIDATES_COUNT = "sum of w over its active rows, w = 1 / the candidates' sum of |a|"
    ACTIVE_CANDIDATES_SUM = (
        "sum of w · |a| over its active rows, w = 1 / the candidates' sum of |a|"
    )
    ACTIVE_CANDIDATES_MEAN = "mean of w · |a|, w = 1 / the candidates' sum of |a|"
    ACTIVE_CANDIDATES_DEVIATION = "deviation of w · |a|, w = 1 / the candidates' sum of |a|"
    ACTIVE_CANDIDATES_MIN = "minimum of w · |a|, w = 1 / the candidates' sum of |a|"
    ACTIVE_CANDIDATES_MAX = "maximum of w · |a|, w = 1 / the candidates' sum of |a|"
    ACTIVE_DUAL_COUNT = "sum of w over its active rows, w = |dual value|"
    ACTIVE_DUAL_SUM = "sum of w · |a| over its active rows, w = |dual value|"
    ACTIVE_DUAL_MEAN = "mean of w · |a|, w = |dual value|"
    ACTIVE_DUAL_DEVIATION = "deviation of w · |a|, w = |dual value|"
    ACTIVE_DUAL_MIN = "minimum of w · |a|, w = |dual value|"
    ACTIVE_DUAL_MAX = "maximum of w · |a|, w = |dual value|"


_LIMIT = 1e20
_SMALLEST_PSEUDOCOST = 1e-5


class KhalilBlock:
    r"""Candidate features of Khalil et al. 2016, see `KhalilFeature`.

    Notes
    -----
    The paper leaves some details open. This implementation makes the following choices:

    - For the static features, a constraint is a row that SCIP may not remove from the LP and that
      holds globally: a row of the model, not a cut or a local row. Every node has all constraints,
      until SCIP restarts or drops a redundant one for good. The static columns therefore do not
      depend on the root or on previously visited nodes.
    - The paper's infeasibility statistics count results of strong branching during data
      collection. A policy does no strong branching, so SCIP's counters of branchings that ended in
      a cut-off replace them, by direction instead of "one" and "two" children.
    - The degree at a node excludes columns that local bounds fix.
    - A ratio of a to b, which may be 0, is a / (\|a\| + \|b\|), a monotone function of
      a / \|b\|. Extremes over no values are the neutral ones of the ratio's range: a minimum of
      1, and a maximum of -1 (sides) or 0 (columns).
    - A row with two sides contributes both to the side ratios, the left one negated. In all other
      features it is one row with SCIP's signs.
    - A row is active if ``is_tight`` holds for one of its sides in the state.
    - Numbers are clipped to 1e20, SCIP's infinity.

    Coefficients are the state's, multiplied by the row's norm, so they equal SCIP's up to rounding.

    References
    ----------
    Khalil, Le Bodic, Song, Nemhauser, Dilkina, "Learning to Branch in Mixed Integer Programming",
    AAAI 2016, table 1.
    """

    name = "khalil"
    version = 1
    columns = KhalilFeature.columns()

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
        fraction = state.variable_features[state.candidates, VariableFeature.FRACTIONALITY]
        static, dynamic = features_of_rows(LpRows.of(model, state), state)
        features = np.empty((len(variables), len(KhalilFeature)))
        features[:, KhalilFeature.OBJECTIVE] = objective
        features[:, KhalilFeature.OBJECTIVE_POSITIVE_PART] = np.maximum(objective, 0)
        features[:, KhalilFeature.OBJECTIVE_NEGATIVE_PART] = np.minimum(objective, 0)
        features[:, KhalilFeature.CONSTRAINTS : KhalilFeature.SLACK] = static
        _write_fractions(features, fraction)
        _write_pseudocosts(features, pseudocost_up * (1.0 - fraction), pseudocost_down * fraction)
        _write_cutoffs(features, variables)
        features[:, KhalilFeature.NODE_DEGREE_MEAN :] = dynamic
        return np.clip(features, -_LIMIT, _LIMIT)


def _write_fractions(features: _Floats, fraction: _Floats) -> None:
    features[:, KhalilFeature.SLACK] = np.minimum(fraction, 1.0 - fraction)
    features[:, KhalilFeature.CEIL_DISTANCE] = 1.0 - fraction


def _write_pseudocosts(features: _Floats, up: _Floats, down: _Floats) -> None:
    least_up, least_down = (np.maximum(p, _SMALLEST_PSEUDOCOST) for p in (up, down))
    features[:, KhalilFeature.PSEUDOCOST_UP] = up
    features[:, KhalilFeature.PSEUDOCOST_DOWN] = down
    features[:, KhalilFeature.PSEUDOCOST_RATIO] = np.minimum(least_up, least_down) / np.maximum(
        least_up, least_down
    )
    features[:, KhalilFeature.PSEUDOCOST_SUM] = up + down
    with np.errstate(over="ignore"):  # clipped at the end
        features[:, KhalilFeature.PSEUDOCOST_PRODUCT] = up * down


def _write_cutoffs(features: _Floats, variables: list[pyscipopt.Variable]) -> None:
    cut_up, cut_down, branched_up, branched_down = cutoffs_and_branchings(variables).T
    features[:, KhalilFeature.CUTOFFS_UP] = cut_up
    features[:, KhalilFeature.CUTOFFS_DOWN] = cut_down
    features[:, KhalilFeature.CUTOFF_SHARE_UP] = cut_up / np.maximum(branched_up, 1.0)
    features[:, KhalilFeature.CUTOFF_SHARE_DOWN] = cut_down / np.maximum(branched_down, 1.0)
