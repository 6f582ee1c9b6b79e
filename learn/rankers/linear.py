"""Linear ranker, fitted by minimising a listwise cross-entropy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from milplib.learn.rankers.table import RankingTable

__all__ = ["PENALTIES", "cross_entropy", "fit_linear"]

_Floats = npt.NDArray[np.float64]

PENALTIES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
"""Candidate weights of the squared norm."""

_LINES_AT_ONCE = 1 << 16


def fit_linear(
    training: RankingTable, validation: RankingTable, *, weights: _Floats
) -> tuple[npt.NDArray[np.float32], dict[str, object]]:
    """Fit the weights of a linear ranker.

    The objective is the mean over samples of the cross-entropy between the softmax of the scores
    and the expert's best candidates, plus a multiple of the squared norm of the weights. It is
    convex. L-BFGS minimises it for each of `PENALTIES`, starting from the weights of the previous
    penalty. The penalty with the lowest cross-entropy on the validation samples is chosen. The fit
    is deterministic.

    Parameters
    ----------
    training
        Samples to fit, with valid scores only.
    validation
        Samples to choose the penalty by, with valid scores only.
    weights
        Weight of each training sample. Shape (S,).

    Returns
    -------
    weights : ndarray
        Weights of the ranker. Shape (d,), float32.
    details : dict
        The chosen penalty, and the validation loss of each penalty.

    References
    ----------
    Cao, Qin, Liu, Tsai, Li, "Learning to rank: from pairwise approach to listwise approach",
    ICML 2007: the listwise softmax loss, here with a target uniform over the expert's best.
    """
    w = np.zeros(training.matrix.shape[1])
    best, best_w, chosen = np.inf, w, PENALTIES[0]
    losses: dict[str, float] = {}
    for penalty in PENALTIES:

        def objective(w: _Floats, penalty: float = penalty) -> tuple[float, _Floats]:
            loss, gradient = cross_entropy(training, w, weights=weights)
            return loss + 0.5 * penalty * float(w @ w), gradient + penalty * w

        w = minimize(objective, w, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
        loss, _ = cross_entropy(validation, w)
        losses[f"{penalty:g}"] = loss
        if loss < best:
            best, best_w, chosen = loss, w, penalty
    return best_w.astype(np.float32), {"penalty": chosen, "validation_losses": losses}


def cross_entropy(
    table: RankingTable, w: _Floats, *, weights: _Floats | None = None
) -> tuple[float, _Floats]:
    """Compute a linear ranker's mean cross-entropy over samples, and its gradient.

    Parameters
    ----------
    table
        Samples, with valid scores only.
    w
        Weights of the ranker. Shape (d,).
    weights
        Weight of each sample; equal if not given. Shape (S,).
    """
    starts, sample = table.starts[:-1], table.sample
    each = np.ones(len(table)) if weights is None else weights
    each = each / each.sum()
    parts = range(0, len(table.matrix), _LINES_AT_ONCE)
    scores = np.concatenate([table.matrix[i : i + _LINES_AT_ONCE] @ w for i in parts])
    shifted = scores - np.maximum.reduceat(scores, starts)[sample]
    size = np.exp(shifted)
    total = np.add.reduceat(size, starts)
    target = table.tied / np.add.reduceat(table.tied.astype(np.float64), starts)[sample]
    losses = np.log(total) - np.add.reduceat(target * shifted, starts)
    pull = (size / total[sample] - target) * each[sample]
    gradient = np.zeros_like(w)
    for i in parts:
        gradient += pull[i : i + _LINES_AT_ONCE] @ table.matrix[i : i + _LINES_AT_ONCE]
    return float(each @ losses), gradient
