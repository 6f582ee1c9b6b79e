"""The block ``tree``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from milplib.scip.features import Feature

if TYPE_CHECKING:
    import pyscipopt

__all__ = ["TreeBlock", "TreeFeature"]


class TreeFeature(Feature):
    """Columns of the block ``tree``.

    Examples
    --------
    >>> TreeFeature.columns()[:2]
    ('depth', 'plunging_depth')
    """

    DEPTH = "depth of the node"
    PLUNGING_DEPTH = "depth of the current plunge"
    NODES = "nodes processed so far, over all restarts"
    LEAVES = "open leaves"
    CHILDREN = "open children of the node"
    SIBLINGS = "open siblings of the node"
    SOLUTIONS = "solutions found so far"
    GAIN_OVER_ROOT = "(LP objective - root bound) / max(1, |root bound|)"


class TreeBlock:
    """Position of the node in the tree and size of the tree, in a single line.

    Objectives refer to the transformed problem, which is a minimisation.
    """

    name = "tree"
    version = 1
    columns = TreeFeature.columns()

    def extract(self, model: pyscipopt.Model) -> npt.NDArray[np.float64]:
        """Extract the block. Shape (8,), float64."""
        root = model.getLowerboundRoot()
        features = np.empty(len(TreeFeature))
        features[TreeFeature.DEPTH] = model.getDepth()
        features[TreeFeature.PLUNGING_DEPTH] = model.getPlungeDepth()
        features[TreeFeature.NODES] = model.getNTotalNodes()
        features[TreeFeature.LEAVES] = model.getNLeaves()
        features[TreeFeature.CHILDREN] = model.getNChildren()
        features[TreeFeature.SIBLINGS] = model.getNSiblings()
        features[TreeFeature.SOLUTIONS] = model.getNSolsFound()
        features[TreeFeature.GAIN_OVER_ROOT] = (model.getLPObjVal() - root) / max(1.0, abs(root))
        return features
