"""The graph convolutional network of Gasse et al. 2019, scored with numpy alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from milplib.errors import PolicyError
from milplib.policies.file import PolicyFile
from milplib.scip.blocks import state_functions_of
from milplib.scip.state import ROW_FEATURES, VARIABLE_FEATURES, BranchingState
from milplib.scip.state_functions import StateFunction

__all__ = ["GcnnPolicy", "gcnn_shapes", "joined_blocks"]

Array = npt.NDArray[np.float32]


def gcnn_shapes(hidden: int, n_block_columns: int = 0) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the network's tensors.

    Parameters
    ----------
    hidden
        Number of units of every layer; 64 in the paper.
    n_block_columns
        Number of columns of the blocks that join a candidate's embedding at the head.

    Examples
    --------
    >>> gcnn_shapes(64)["variable_embedding.0.weight"]
    (64, 19)
    """
    h, b = hidden, n_block_columns
    shapes: dict[str, tuple[int, ...]] = {"edge_norm.shift": (1,), "edge_norm.scale": (1,)}
    for side, size in (("variable", len(VARIABLE_FEATURES)), ("row", len(ROW_FEATURES))):
        shapes |= {
            f"{side}_norm.shift": (size,),
            f"{side}_norm.scale": (size,),
            f"{side}_embedding.0.weight": (h, size),
            f"{side}_embedding.0.bias": (h,),
            f"{side}_embedding.2.weight": (h, h),
            f"{side}_embedding.2.bias": (h,),
        }
    for convolution in ("to_rows", "to_variables"):
        parts = {
            "target.weight": (h, h),
            "target.bias": (h,),
            "edge.weight": (h, 1),
            "source.weight": (h, h),
            "message_norm.scale": (1,),
            "message.weight": (h, h),
            "message.bias": (h,),
            "output_norm.scale": (1,),
            "output.0.weight": (h, 2 * h),
            "output.0.bias": (h,),
            "output.2.weight": (h, h),
            "output.2.bias": (h,),
        }
        shapes |= {f"{convolution}.{part}": shape for part, shape in parts.items()}
    if b:
        shapes |= {"block_norm.shift": (b,), "block_norm.scale": (b,)}
    return shapes | {"head.0.weight": (h, h + b), "head.0.bias": (h,), "head.2.weight": (1, h)}


def joined_blocks(state: BranchingState, names: tuple[str, ...]) -> Array:
    """Join blocks as features of the candidates; a block of one line goes to each of them.

    Returns
    -------
    ndarray
        Shape (k, number of columns of all the blocks).

    Raises
    ------
    PolicyError
        If a block is missing, or has neither one line nor one a candidate.
    """
    k = len(state.candidates)
    parts = []
    for name in names:
        block = state.blocks.get(name)
        if block is None:
            raise PolicyError(f"the state lacks the block '{name}' that the policy reads")
        if len(block) not in (1, k):
            raise PolicyError(
                f"the block '{name}' has {len(block)} lines for {k} candidates; the network reads "
                "blocks of one line, or of one for each candidate"
            )
        parts.append(np.broadcast_to(block, (k, block.shape[1])))
    return np.hstack(parts) if parts else np.empty((k, 0), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class _Layer:
    """``x -> x @ weight + bias``."""

    weight: Array
    bias: Array

    @classmethod
    def folded(
        cls,
        weight: npt.NDArray[np.float64],
        bias: npt.NDArray[np.float64],
        *,
        shift: npt.NDArray[np.float64] | float = 0.0,
        scale: npt.NDArray[np.float64] | float = 1.0,
    ) -> _Layer:
        """Fold the affine normalisation ``(x + shift) * scale`` of its input into a layer."""
        weight = weight * scale
        bias = bias + (weight * shift).sum(axis=1)
        return cls(np.ascontiguousarray(weight.T, np.float32), bias.astype(np.float32))

    def __call__(self, x: Array) -> Array:
        return x @ self.weight + self.bias


@dataclass(frozen=True, eq=False)
class _Convolution:
    """A half-convolution with all that is linear folded together.

    The message's last layer commutes with the sum over edges, and the first output layer's left
    half with both, so an edge costs an addition and a ReLU:
    ``hidden = ReLU(sum_e ReLU(target + e * edge + source) @ message + degree * constant + own)``.
    """

    target: _Layer
    edge: Array
    source: Array
    message: Array
    constant: Array
    own: _Layer
    output: _Layer

    def __call__(
        self,
        targets: Array,
        sources: Array,
        target_of: npt.NDArray[np.integer[Any]],
        source_of: npt.NDArray[np.integer[Any]],
        edge_features: Array,
    ) -> Array:
        messages = self.target(targets)[target_of]
        messages += (sources @ self.source)[source_of]
        messages += edge_features[:, None] * self.edge
        np.maximum(messages, 0, out=messages)
        n_edges = len(target_of)
        sum_of = sp.csr_array(
            (np.ones(n_edges, dtype=np.float32), (target_of, np.arange(n_edges))),
            shape=(len(targets), n_edges),
        )
        degree = np.diff(sum_of.indptr).astype(np.float32)
        hidden = (sum_of @ messages) @ self.message
        hidden += degree[:, None] * self.constant
        hidden += self.own(targets)
        return _relu(self.output(_relu(hidden)))


def _relu(x: Array) -> Array:
    return np.maximum(x, 0, out=x)


class GcnnPolicy:
    """A trained graph convolutional network as a policy.

    Parameters
    ----------
    content
        What its file holds.
    name
        A name for results.
    blocks
        State functions of a user's own that it reads.

    Raises
    ------
    PolicyError
        If a tensor is missing, superfluous or of another shape, or a block is not known here.

    References
    ----------
    Gasse, Chételat, Ferroni, Charlin, Lodi, "Exact combinatorial optimization with graph
    convolutional neural networks", NeurIPS 2019, section 4.2.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> tensors = {name: rng.normal(size=shape).astype(np.float32)
    ...            for name, shape in gcnn_shapes(8).items()}
    >>> policy = GcnnPolicy(PolicyFile(
    ...     architecture="gcnn", hyperparameters={"hidden": 8}, tensors=tensors), name="noise")
    >>> policy.state_functions
    ()
    """

    def __init__(
        self, content: PolicyFile, *, name: str, blocks: Iterable[StateFunction] = ()
    ) -> None:
        self.name = name
        self.content = content
        self.state_functions = state_functions_of(
            content.blocks, where=f"the policy '{name}'", own=blocks
        )
        self._block_names = tuple(block.name for block in content.blocks)
        tensors = _checked_tensors(content, name)
        self._variables = self._embedding(tensors, "variable")
        self._rows = self._embedding(tensors, "row")
        self._to_rows = self._convolution(tensors, "to_rows")
        self._to_variables = self._convolution(tensors, "to_variables")
        hidden = len(tensors["head.0.bias"])
        shift, scale = np.zeros(hidden), np.ones(hidden)
        if content.blocks:
            shift = np.concatenate((shift, tensors["block_norm.shift"]))
            scale = np.concatenate((scale, tensors["block_norm.scale"]))
        self._head = _Layer.folded(
            tensors["head.0.weight"], tensors["head.0.bias"], shift=shift, scale=scale
        )
        self._last = tensors["head.2.weight"][0].astype(np.float32)

    @staticmethod
    def _embedding(tensors: dict[str, npt.NDArray[np.float64]], side: str) -> tuple[_Layer, _Layer]:
        first, second = (
            (tensors[f"{side}_embedding.{n}.weight"], tensors[f"{side}_embedding.{n}.bias"])
            for n in (0, 2)
        )
        norm = {part: tensors[f"{side}_norm.{part}"] for part in ("shift", "scale")}
        return _Layer.folded(*first, **norm), _Layer.folded(*second)

    @staticmethod
    def _convolution(tensors: dict[str, npt.NDArray[np.float64]], name: str) -> _Convolution:
        part = {
            key.removeprefix(f"{name}."): tensor
            for key, tensor in tensors.items()
            if key.startswith(f"{name}.")
        }
        scale = part["message_norm.scale"]
        edge = part["edge.weight"][:, 0] * tensors["edge_norm.scale"]
        bias = part["target.bias"] + edge * tensors["edge_norm.shift"]
        left, right = np.hsplit(part["output.0.weight"], 2)
        left = left * part["output_norm.scale"]
        return _Convolution(
            target=_Layer.folded(scale * part["target.weight"], scale * bias),
            edge=(scale * edge).astype(np.float32),
            source=np.ascontiguousarray((scale * part["source.weight"]).T, np.float32),
            message=np.ascontiguousarray((left @ part["message.weight"]).T, np.float32),
            constant=(left @ part["message.bias"]).astype(np.float32),
            own=_Layer.folded(right, part["output.0.bias"]),
            output=_Layer.folded(part["output.2.weight"], part["output.2.bias"]),
        )

    def score(self, state: BranchingState) -> Array:
        """Score the candidates of a state.

        Returns
        -------
        ndarray
            Shape (k,), float32, higher is better.

        Raises
        ------
        PolicyError
            If the state lacks a block, or has one of another form.
        """
        row_of, column_of = state.edge_index
        edges = state.edge_features.astype(np.float32, copy=False)
        variables = self._embed(self._variables, state.variable_features)
        rows = self._embed(self._rows, state.row_features)
        rows = self._to_rows(rows, variables, row_of, column_of, edges)
        # Only the candidates' embeddings are needed from here on.
        place = np.full(state.n_variables, -1)
        place[state.candidates] = np.arange(len(state.candidates))
        candidate_of = place[column_of]
        kept = candidate_of >= 0
        candidates = self._to_variables(
            variables[state.candidates], rows, candidate_of[kept], row_of[kept], edges[kept]
        )
        if self._block_names:
            blocks = joined_blocks(state, self._block_names)
            candidates = np.hstack((candidates, blocks.astype(np.float32, copy=False)))
        scores: Array = _relu(self._head(candidates)) @ self._last
        return scores

    @staticmethod
    def _embed(layers: tuple[_Layer, _Layer], features: npt.NDArray[np.floating[Any]]) -> Array:
        x = features.astype(np.float32, copy=False)
        for layer in layers:
            x = _relu(layer(x))
        return x


def _checked_tensors(content: PolicyFile, name: str) -> dict[str, npt.NDArray[np.float64]]:
    hidden = content.hyperparameters.get("hidden")
    if type(hidden) is not int or not 0 < hidden <= 4096:
        raise PolicyError(f"the policy '{name}' has {hidden!r} hidden units")
    shapes = gcnn_shapes(hidden, sum(len(block.columns) for block in content.blocks))
    found = {key: tensor.shape for key, tensor in content.tensors.items()}
    if found != shapes:
        wrong = sorted(key for key in found.keys() | shapes if found.get(key) != shapes.get(key))
        raise PolicyError(
            f"the policy '{name}' is not a gcnn of {hidden} hidden units: its tensor '{wrong[0]}' "
            f"has shape {found.get(wrong[0], 'none')}, expected {shapes.get(wrong[0], 'none')}"
        )
    return {key: tensor.astype(np.float64) for key, tensor in content.tensors.items()}
