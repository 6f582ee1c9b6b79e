"""Layout of the nodes of a branch-and-bound tree in a drawing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from milplib.tree.search_tree import SearchTree

__all__ = ["tree_layout"]


def tree_layout(tree: SearchTree) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Place the nodes: leaves side by side, parents above the middle of their children.

    Siblings are in the order in which they were processed, followed by those that never were.
    Trees before a restart are to the left of the last one.

    Returns
    -------
    x : ndarray
        Horizontal positions from 0, at least 1 between leaves. Shape (n,), float64.
    y : ndarray
        Depths. Shape (n,), float64.

    Notes
    -----
    The layout goes level by level, in time linear in the number of nodes except for a sort.
    """
    n, parent, depth = len(tree), tree.parent, tree.depth
    levels = _levels(depth)
    leaves = np.zeros(n)
    has_children = np.zeros(n, dtype=bool)
    has_children[parent[parent >= 0]] = True
    leaves[~has_children] = 1
    for level in levels[:0:-1]:
        np.add.at(leaves, parent[level], leaves[level])
    first = np.zeros(n)
    rank = np.where(tree.order > 0, tree.order, np.iinfo(np.int64).max)
    for level in levels:
        # Siblings are adjacent, in the order of their parents' numbers; each starts where the
        # leaves of the previous ones end.
        ordered = level[np.lexsort((rank[level], parent[level]))]
        before = np.cumsum(leaves[ordered]) - leaves[ordered]
        above = parent[ordered]
        starts = np.r_[True, above[1:] != above[:-1]] if len(above) else np.zeros(0, dtype=bool)
        before -= np.maximum.accumulate(np.where(starts, before, 0.0))
        is_root = above < 0
        first[ordered] = np.where(is_root, 0.0, first[above]) + before
    x = first + 0.5 * (leaves - 1)
    for level in levels[:0:-1]:  # centre parents over their children rather than over leaves
        low, high = np.full(n, np.inf), np.full(n, -np.inf)
        np.minimum.at(low, parent[level], x[level])
        np.maximum.at(high, parent[level], x[level])
        above = np.unique(parent[level])
        x[above] = 0.5 * (low[above] + high[above])
    return x, depth.astype(np.float64)


def _levels(depth: npt.NDArray[np.int64]) -> list[npt.NDArray[np.intp]]:
    order = np.argsort(depth, kind="stable")
    ends = np.searchsorted(depth[order], np.arange(depth.max(initial=-1) + 1), side="right")
    return [part for part in np.split(order, ends[:-1])] if len(ends) else []
