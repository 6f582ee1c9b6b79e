"""The block ``pseudocost``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from milplib.scip.features import Feature
from milplib.scip.native import native_at
from milplib.scip.pure_extraction import pseudocosts_pure

if TYPE_CHECKING:
    import pyscipopt

__all__ = ["PseudocostBlock", "PseudocostFeature"]


class PseudocostFeature(Feature):
    """Columns of the block ``pseudocost``.

    Examples
    --------
    >>> PseudocostFeature.columns()
    ('score', 'down', 'up')
    """

    SCORE = "SCIP's pseudocost score at the LP solution"
    DOWN = "mean gain in dual bound per unit of change downwards"
    UP = "mean gain in dual bound per unit of change upwards"


class PseudocostBlock:
    """SCIP's pseudocosts of the candidates at the node, one line per candidate.

    References
    ----------
    Achterberg, Koch, Martin, "Branching rules revisited", Operations Research Letters 33 (2005),
    section 2.2.
    """

    name = "pseudocost"
    version = 1
    columns = PseudocostFeature.columns()

    def extract(self, model: pyscipopt.Model) -> npt.NDArray[np.float64]:
        """Extract the block. Shape (k, 3), float64."""
        module = native_at(model)
        if module is None:
            return pseudocosts_pure(model)
        block = np.frombuffer(module.pseudocosts(model.to_ptr(False), model), dtype=np.float64)
        return block.reshape(-1, len(PseudocostFeature))
