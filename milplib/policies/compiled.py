"""The graph convolutional network in native code, alone or as a whole branching decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from milplib.errors import BranchingError, StateError
from milplib.policies.choice import TIE_TOLERANCE
from milplib.policies.folded import Array, FoldedGcnn
from milplib.scip.native import forced_level, native_module
from milplib.scip.state import BranchingState

if TYPE_CHECKING:
    import pyscipopt

__all__ = ["CompiledGcnn", "compile_gcnn"]


class CompiledGcnn:
    """A folded network with the buffers that it works in, which stay from node to node.

    Parameters
    ----------
    module
        `milplib._native`.
    folded
        The network.
    level
        Instruction set, one of ``module.levels()``; the processor's widest if not given. Scores
        differ between them in last digits, which the rule for ties keeps from the choice.
    """

    def __init__(self, module: Any, folded: FoldedGcnn, *, level: str | None = None) -> None:
        self._module = module
        self._network = module.Network(
            folded.hidden,
            folded.n_block_columns,
            folded.sums == "relative",
            TIE_TOLERANCE,
            folded.tensors,
            level,
        )

    def score(self, state: BranchingState, blocks: Array) -> Array:
        """Score the candidates of a state, given their block columns.

        Returns
        -------
        ndarray
            Shape (k,), float32.

        Raises
        ------
        TypeError, ValueError
            If the arrays are no state.
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
        """Extract the state of the current node, score, choose and branch, all in one call.

        Returns
        -------
        tuple of float
            Seconds of extracting, of scoring and choosing, and of branching.

        Raises
        ------
        ValueError
            If a number of the pseudocosts or a score is not finite, which the message says.
        StateError
            If the node has no state.
        BranchingError
            If SCIP failed to branch on the choice.
        """
        try:
            times: tuple[float, float, float] = self._network.decide(model.to_ptr(False))
        except self._module.BranchingError as error:
            raise BranchingError(str(error)) from None
        except self._module.ScipError as error:
            raise StateError(f"the state of this node cannot be extracted: {error}") from None
        return times

    def judge(self, model: pyscipopt.Model) -> tuple[npt.NDArray[np.int32], Array, int]:
        """Tell what `decide` would do: candidates, scores, and which of them it would choose."""
        candidates, scores, chosen = self._network.judge(model.to_ptr(False))
        return np.frombuffer(candidates, np.int32), np.frombuffer(scores, np.float32), chosen


def compile_gcnn(folded: FoldedGcnn) -> CompiledGcnn | None:
    """Compile a folded network; None where there is no native code.

    Raises
    ------
    NativeError
        If ``MILPLIB_NATIVE=1`` asks for native code and there is none.
    """
    module = native_module()
    return None if module is None else CompiledGcnn(module, folded, level=forced_level())


def _as(array: npt.NDArray[Any], dtype: type) -> npt.NDArray[Any]:
    return np.ascontiguousarray(array, dtype=dtype)
