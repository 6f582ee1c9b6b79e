"""Forests as policies: boosted or extra trees, evaluated in numpy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from milplib.policies.ranking import RankingPolicy

__all__ = ["LEAF", "ForestPolicy"]

LEAF = -1
"""Feature of a tree node without children."""

MOST_LEVELS = 1000
"""Maximum number of levels of a tree; each level costs a pass over all candidates."""


class ForestPolicy(RankingPolicy):
    """A policy that sums the leaf values of a candidate over all trees.

    Parameters
    ----------
    content
        Content of the policy file. Its tensors describe the N nodes of all trees, one tree after
        another, parents before children, and the T roots:

        - ``feature``: position of the feature, -1 in a leaf. Shape (N,), int32.
        - ``threshold``: a candidate goes left if its feature is at most this. Shape (N,), float32.
        - ``left``, ``right``: positions of the children, -1 in a leaf. Shape (N,), int32.
        - ``value``: value of a leaf. Shape (N,), float32.
        - ``root``: positions of the roots. Shape (T,), int32.
    name
        Name for results.
    blocks
        User-defined state functions that the policy reads.

    Notes
    -----
    All trees and candidates descend together. A decision costs a few numpy calls per level of the
    deepest tree, on arrays of T times k entries (``benchmarks/rankers.py``).

    Examples
    --------
    >>> from milplib.policies import PolicyFile
    >>> def whole(*numbers):
    ...     return np.array(numbers, dtype=np.int32)
    >>> def real(*numbers):
    ...     return np.array(numbers, dtype=np.float32)
    >>> stump = PolicyFile(
    ...     architecture="forest", hyperparameters={"features": 38, "trees": 1},
    ...     tensors={"feature": whole(8, -1, -1), "threshold": real(0.5, 0, 0),
    ...              "left": whole(1, -1, -1), "right": whole(2, -1, -1),
    ...              "value": real(0, 3, 4), "root": whole(0)})
    >>> lines = np.zeros((2, 38), dtype=np.float32)
    >>> lines[1, 8] = 1.0
    >>> ForestPolicy(stump, name="stump").score_matrix(lines).tolist()
    [3.0, 4.0]
    """

    def _read(self, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
        n, n_trees = np.size(tensors.get("feature", ())), np.size(tensors.get("root", ()))
        nodes = {name: (np.int32, (n,)) for name in ("feature", "left", "right")}
        values = {name: (np.float32, (n,)) for name in ("threshold", "value")}
        self._check(tensors, nodes | values | {"root": (np.int32, (n_trees,))})
        if self.content.hyperparameters.get("trees") != n_trees or not n_trees:
            raise self._wrong(
                f"its header says {self.content.hyperparameters.get('trees')!r} trees, but it "
                f"has {n_trees} roots"
            )
        feature, root = tensors["feature"], tensors["root"].astype(np.int64)
        children = np.vstack((tensors["left"], tensors["right"])).T.astype(np.int64)
        is_leaf = feature == LEAF
        inner, itself = np.flatnonzero(~is_leaf), np.arange(n)
        if ((feature < LEAF) | (feature >= len(self.columns))).any():
            raise self._wrong(f"a node asks for a feature outside [0, {len(self.columns)})")
        # Parents come before children, and each node has one parent, so there are no cycles.
        reached = np.concatenate((root, children[inner].ravel()))
        if (children[inner] <= inner[:, None]).any() or not np.array_equal(
            np.sort(reached), itself
        ):
            raise self._wrong("its nodes are not trees, each parent before its children")
        self._depth = self._levels(root, children, is_leaf)
        # A leaf is its own child, so that all trees can take as many steps as the deepest.
        children[is_leaf] = itself[is_leaf, None]
        self._root, self._children = root, children.ravel()
        self._feature = np.where(is_leaf, 0, feature).astype(np.int64)
        self._threshold = tensors["threshold"]
        self._value = np.where(is_leaf, tensors["value"], 0.0).astype(np.float64)

    def _levels(
        self,
        root: npt.NDArray[np.int64],
        children: npt.NDArray[np.int64],
        is_leaf: npt.NDArray[np.bool_],
    ) -> int:
        """Count the steps from the root to the deepest leaf."""
        level, depth = root[~is_leaf[root]], 0
        while len(level):
            depth += 1
            if depth > MOST_LEVELS:
                raise self._wrong(f"a tree has more than {MOST_LEVELS} levels")
            level = children[level].ravel()
            level = level[~is_leaf[level]]
        return depth

    def score_matrix(self, matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Score lines of features. Shapes (k, d) to (k,), float64."""
        k, d = matrix.shape
        numbers = np.ascontiguousarray(matrix, dtype=np.float32).ravel()
        line = np.tile(d * np.arange(k), len(self._root))
        node = np.repeat(self._root, k)
        for _ in range(self._depth):
            goes_right = numbers.take(line + self._feature.take(node)) > self._threshold.take(node)
            node = self._children.take(2 * node + goes_right)
        return np.asarray(self._value.take(node).reshape(-1, k).sum(axis=0))
