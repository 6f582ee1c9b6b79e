"""Choice among scored candidates, with one tie-breaking rule for all policies."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from milplib.errors import PolicyError

__all__ = ["TIE_TOLERANCE", "best_candidate", "checked_scores", "tied_with_best"]

TIE_TOLERANCE = 1e-5
"""Relative distance from the best score within which scores are tied with it."""


def tied_with_best(
    scores: npt.NDArray[np.floating[Any]], valid: npt.NDArray[np.bool_] | None = None
) -> npt.NDArray[np.bool_]:
    """Mark the scores within `TIE_TOLERANCE` of the best, relative to it.

    Parameters
    ----------
    scores
        Scores, finite. Shape (k,).
    valid
        Whether each score counts. Default: all count. Shape (k,), bool.

    Examples
    --------
    >>> tied_with_best(np.array([1.0, 2.0, 2.0 - 1e-6])).tolist()
    [False, True, True]
    """
    if valid is not None:
        scores = np.where(valid, scores, -np.inf)
    best = scores.max()
    return np.asarray(scores >= best - TIE_TOLERANCE * abs(best))


def best_candidate(scores: npt.NDArray[np.floating[Any]], candidates: npt.NDArray[np.int32]) -> int:
    """Return the position of the best candidate; among tied ones, that of the lowest column.

    Symmetric columns tie, and libraries and processors differ in the last digits. The tolerance
    makes the choice independent of them.

    Parameters
    ----------
    scores
        Scores, finite. Shape (k,).
    candidates
        `BranchingState.candidates`. Shape (k,), int32.

    Examples
    --------
    >>> best_candidate(np.array([1.0, 3.0, 3.0 + 1e-6]), np.array([7, 5, 6], dtype=np.int32))
    1
    """
    tied = np.flatnonzero(tied_with_best(scores))
    return int(tied[candidates[tied].argmin()])


def checked_scores(
    scores: npt.ArrayLike, n_candidates: int, *, policy: str
) -> npt.NDArray[np.float64]:
    """Check the scores that a policy returned for the candidates of a state.

    Returns
    -------
    ndarray
        Scores. Shape (n_candidates,), float64.

    Raises
    ------
    PolicyError
        If the scores are not numbers, have another shape, or are not finite.

    Examples
    --------
    >>> checked_scores([1, 2], 2, policy="mine").tolist()
    [1.0, 2.0]
    """
    try:
        array = np.asarray(scores)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"an array of {array.dtype}")
        array = array.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise PolicyError(
            f"the policy '{policy}' gave {type(scores).__name__} instead of scores: {error}"
        ) from error
    if array.shape != (n_candidates,):
        raise PolicyError(
            f"the policy '{policy}' gave scores of shape {array.shape} for {n_candidates} "
            "candidates"
        )
    if not np.isfinite(array).all():
        raise PolicyError(f"the policy '{policy}' gave a score that is not finite")
    return array
