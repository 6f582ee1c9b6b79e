"""Types of the C++ extension module, which reads SCIP's LP and evaluates the network."""

from typing import Any

import numpy as np
import numpy.typing as npt

class ScipError(RuntimeError): ...
class BranchingError(ScipError): ...

def bind(loaded_library: str) -> int: ...
def set_constants(
    stage_solving: int,
    lp_optimal: int,
    status_column: int,
    type_continuous: int,
    branch_down: int,
    branch_up: int,
    /,
) -> None: ...
def levels() -> tuple[str, ...]: ...
def extract(
    capsule: object, in_double: bool, model: object = ...
) -> tuple[bytearray, bytearray, bytearray, bytearray, bytearray, bool]: ...
def pseudocosts(capsule: object, model: object = ...) -> bytearray: ...
def edge_sum(
    target: npt.NDArray[Any],
    source: npt.NDArray[Any],
    weight: npt.NDArray[Any],
    edge_index: npt.NDArray[Any],
    edge_features: npt.NDArray[Any],
    out: npt.NDArray[Any],
    level: str | None = ...,
) -> None: ...
def edge_gradient(
    target: npt.NDArray[Any],
    source: npt.NDArray[Any],
    weight: npt.NDArray[Any],
    edge_index: npt.NDArray[Any],
    edge_features: npt.NDArray[Any],
    gradient: npt.NDArray[Any],
    of_target: npt.NDArray[Any],
    of_source: npt.NDArray[Any],
    of_weight: npt.NDArray[Any],
    level: str | None = ...,
) -> None: ...
def edge_moments(
    target: npt.NDArray[Any],
    source: npt.NDArray[Any],
    weight: npt.NDArray[Any],
    edge_index: npt.NDArray[Any],
    edge_features: npt.NDArray[Any],
    level: str | None = ...,
) -> tuple[float, float]: ...

class Network:
    def __new__(
        cls,
        hidden: int,
        n_block_columns: int,
        is_relative: bool,
        tie_tolerance: float,
        tensors: tuple[npt.NDArray[np.float32], ...],
        level: str | None = ...,
    ) -> Network: ...
    def score(
        self,
        variable_features: npt.NDArray[Any],
        row_features: npt.NDArray[Any],
        edge_index: npt.NDArray[Any],
        edge_features: npt.NDArray[Any],
        candidates: npt.NDArray[Any],
        blocks: npt.NDArray[Any],
        out: npt.NDArray[Any],
    ) -> None: ...
    def decide(self, capsule: object, model: object = ...) -> tuple[float, float, float]: ...
    def judge(self, capsule: object, model: object = ...) -> tuple[bytes, bytes, int]: ...
