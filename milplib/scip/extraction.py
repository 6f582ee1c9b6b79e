"""Extraction of the branching state, in native code if it works."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from milplib.errors import StateError
from milplib.scip.features import RowFeature, VariableFeature
from milplib.scip.native import native_at
from milplib.scip.pure_extraction import branching_candidates, check_stage, extract_state_pure
from milplib.scip.state import BranchingState
from milplib.scip.state_functions import StateFunction, extract_blocks

if TYPE_CHECKING:
    import pyscipopt

__all__ = ["branching_candidates", "extract_state"]


def extract_state(
    model: pyscipopt.Model,
    *,
    state_functions: tuple[StateFunction, ...] = (),
    dtype: type[np.floating[Any]] = np.float32,
) -> BranchingState:
    """Extract the branching state of the current node.

    Call this function inside a branching rule. It uses the native code if it works
    (`milplib.scip.native`), and otherwise calls of PySCIPOpt, which return the same arrays but take
    much longer.

    Parameters
    ----------
    model
        Model being solved, at a node whose LP is solved to optimality.
    state_functions
        State functions whose results become `BranchingState.blocks`.
    dtype
        Type of the features, which are computed in float64 and cast once.

    Returns
    -------
    BranchingState
        State with finite arrays.

    Raises
    ------
    StateError
        If the node has no solved LP, or a state function returns an invalid block (see
        `milplib.scip.StateFunction`).

    Examples
    --------
    >>> import pyscipopt, milplib.scip
    >>> class Watch(pyscipopt.Branchrule):
    ...     def branchexeclp(self, allowaddcons):
    ...         state = milplib.scip.extract_state(self.model)
    ...         self.shape = state.variable_features.shape
    ...         return {"result": pyscipopt.SCIP_RESULT.DIDNOTRUN}
    """
    check_stage(model)
    module = native_at(model)
    if module is None:
        return extract_state_pure(model, state_functions=state_functions, dtype=dtype)
    extracted = np.dtype(np.float32 if dtype is np.float32 else np.float64)
    try:
        variables, rows, ends, edges, candidates, has_incumbent = module.extract(
            model.to_ptr(False), extracted == np.float64, model
        )
    except module.ScipError as error:
        raise StateError(f"the state of this node cannot be extracted: {error}") from error
    variable_features = np.frombuffer(variables, dtype=extracted).reshape(-1, len(VariableFeature))
    row_features = np.frombuffer(rows, dtype=extracted).reshape(-1, len(RowFeature))
    return BranchingState(
        variable_features=variable_features.astype(dtype, copy=False),
        row_features=row_features.astype(dtype, copy=False),
        edge_index=np.frombuffer(ends, dtype=np.int32).reshape(2, -1),
        edge_features=np.frombuffer(edges, dtype=extracted).astype(dtype, copy=False),
        candidates=np.frombuffer(candidates, dtype=np.int32),
        has_incumbent=has_incumbent,
        blocks=MappingProxyType(extract_blocks(model, state_functions, dtype=dtype)),
    )
