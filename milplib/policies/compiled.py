"""Graph convolutional network in native code, for scoring or for a whole branching decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from milplib.errors import BranchingError, StateError
from milplib.policies.choice import TIE_TOLERANCE
from milplib.policies.folded import Array, FoldedGcnn, Sums
from milplib.scip.native import forced_level, native_module
from milplib.scip.state import BranchingState

if TYPE_CHECKING:
    import pyscipopt

__all__ = ["CompiledGcnn", "compile_gcnn"]


class CompiledGcnn:
    """A folded network in native code, with buffers that are reused from node to node.

    Parameters
    ----------
    module
        The module `milplib._native`.
    folded
        The folded network.
    level
        Instruction set, one of ``module.levels()``. Default: the widest of the processor. The last
        digits of scores differ between instruction sets; the tolerance for ties hides this from
        the choice.
    """

    def __init__(self, module: Any, folded: FoldedGcnn, *, level: str | None = None) -> None:
        self._module = module
        self._network = module.Network(
            folded.hidden,
            folded.n_block_columns,
            folded.sums is Sums.RELATIVE,
            TIE_TOLERANCE,
            folded.tensors,
            level,
        )

    def score(self, state: BranchingState, blocks: Array) -> Array:
        """Score the candidates of a state, given their block columns.

        Returns
        -------
        ndarray
            Scores. Shape (k,), float32.

        Raises
        ------
        TypeError, ValueError
            If the arrays do not form a valid state.
        """
        scores = np.empty(len(state.candidates), dtype=np.float32)
        self._network.score(
            _as(state.variable_features, np.float32),
            _as(state.row_features, np.float32),
            _as(state.edge_index, np.int32),
            _as(state.edge_features, np.float32),
            _as(state.candidates, np.int32),
            _as(blocks, np.float32),
            scores,
        )
        return scores

    def decide(self, model: pyscipopt.Model) -> tuple[float, float, float]:
        """Extract the state of the current node, score, choose and branch in one native call.

        Returns
        -------
        tuple of float
            Wall-clock seconds of extracting, of scoring and choosing, and of branching.

        Raises
        ------
        ValueError
            If a pseudocost or a score is not finite.
        StateError
            If the node has no state.
        BranchingError
            If SCIP fails to branch on the chosen candidate.
        """
        try:
            times: tuple[float, float, float] = self._network.decide(model.to_ptr(False), model)
        except self._module.BranchingError as error:
            raise BranchingError(str(error)) from None
        except self._module.ScipError as error:
            raise StateError(f"the state of this node cannot be extracted: {error}") from None
        return times

    def judge(self, model: pyscipopt.Model) -> tuple[npt.NDArray[np.int32], Array, int]:
        """Return the candidates, their scores, and the position that `decide` would choose."""
        candidates, scores, chosen = self._network.judge(model.to_ptr(False), model)
        return np.frombuffer(candidates, np.int32), np.frombuffer(scores, np.float32), chosen


def compile_gcnn(folded: FoldedGcnn) -> CompiledGcnn | None:
    """Compile a folded network; return None without native code.

    Raises
    ------
    NativeError
        If ``MILPLIB_NATIVE=1`` requires native code, but it does not work.
    """
    module = native_module()
    return None if module is None else CompiledGcnn(module, folded, level=forced_level())


def _as(array: npt.NDArray[Any], dtype: type) -> npt.NDArray[Any]:
    return np.ascontiguousarray(array, dtype=dtype)
