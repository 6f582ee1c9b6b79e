"""Graph convolutional network in numpy, with its normalisations folded into its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from milplib.display import Shown
from milplib.outcomes import Word
from milplib.scip.state import BranchingState

__all__ = ["GCNN_SUMS", "Array", "Convolution", "FoldedGcnn", "Layer", "Sums", "check_state"]


class Sums(Word):
    """Sums over a node's edges in the graph convolutional network."""

    ABSOLUTE = "absolute"
    """As in the paper."""
    RELATIVE = "relative"
    """Divided by the mean number of non-zeros of a row and of a column."""


GCNN_SUMS = tuple(Sums)
"""Sums over edges: plain, or divided by the mean number of edges in the graph."""

Array = npt.NDArray[np.float32]
Tensors = Mapping[str, npt.NDArray[np.float64]]


@dataclass(frozen=True, eq=False, repr=False)
class Layer(Shown):
    """Affine map ``x -> x @ weight + bias``."""

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
    ) -> Layer:
        """Fold the normalisation ``(x + shift) * scale`` of the input into a layer.

        Examples
        --------
        >>> layer = Layer.folded(np.array([[2.0]]), np.array([1.0]), shift=3.0, scale=10.0)
        >>> layer(np.array([[1.0]], dtype=np.float32)).tolist()
        [[81.0]]
        """
        weight = weight * scale
        bias = bias + (weight * shift).sum(axis=1)
        return cls(np.ascontiguousarray(weight.T, np.float32), bias.astype(np.float32))

    def __call__(self, x: Array) -> Array:
        """Apply the layer to lines."""
        return x @ self.weight + self.bias


@dataclass(frozen=True, eq=False, repr=False)
class Convolution(Shown):
    """A half-convolution with consecutive linear maps folded together.

    The last layer of the message commutes with the sum over edges, and the left half of the first
    output layer commutes with both. An edge therefore costs an addition and a ReLU:
    ``hidden = ReLU(sum_e ReLU(target + e * edge + source) @ message + degree * constant + own)``.
    """

    target: Layer
    edge: Array
    source: Array
    message: Array
    constant: Array
    own: Layer
    output: Layer

    @classmethod
    def folded(cls, tensors: Tensors, name: str) -> Convolution:
        """Fold the tensors of the convolution with the given name."""
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
        return cls(
            target=Layer.folded(scale * part["target.weight"], scale * bias),
            edge=(scale * edge).astype(np.float32),
            source=np.ascontiguousarray((scale * part["source.weight"]).T, np.float32),
            message=np.ascontiguousarray((left @ part["message.weight"]).T, np.float32),
            constant=(left @ part["message.bias"]).astype(np.float32),
            own=Layer.folded(right, part["output.0.bias"]),
            output=Layer.folded(part["output.2.weight"], part["output.2.bias"]),
        )

    def __call__(
        self,
        targets: Array,
        sources: Array,
        target_of: npt.NDArray[np.integer[Any]],
        source_of: npt.NDArray[np.integer[Any]],
        edge_features: Array,
        weight: float = 1.0,
    ) -> Array:
        """Return the targets' lines after the convolution, with sums multiplied by `weight`."""
        messages = self.target(targets)[target_of]
        messages += (sources @ self.source)[source_of]
        messages += edge_features[:, None] * self.edge
        np.maximum(messages, 0, out=messages)
        n_edges = len(target_of)
        sum_of = sp.csr_array(
            (np.full(n_edges, weight, dtype=np.float32), (target_of, np.arange(n_edges))),
            shape=(len(targets), n_edges),
        )
        degree = np.diff(sum_of.indptr).astype(np.float32) * np.float32(weight)
        hidden = (sum_of @ messages) @ self.message
        hidden += degree[:, None] * self.constant
        hidden += self.own(targets)
        return _relu(self.output(_relu(hidden)))

    @property
    def tensors(self) -> tuple[Array, ...]:
        """Tensors of the convolution, in the order of the native code."""
        target, own, output = self.target, self.own, self.output
        return (
            *(target.weight, target.bias, self.edge, self.source, self.message, self.constant),
            *(own.weight, own.bias, output.weight, output.bias),
        )


@dataclass(frozen=True, eq=False, repr=False)
class FoldedGcnn(Shown):
    """The whole network with folded layers."""

    variables: tuple[Layer, Layer]
    rows: tuple[Layer, Layer]
    to_rows: Convolution
    to_variables: Convolution
    head: Layer
    last: Array
    sums: Sums = Sums.ABSOLUTE

    @classmethod
    def of(cls, tensors: Tensors, *, sums: str = Sums.ABSOLUTE) -> FoldedGcnn:
        """Fold the tensors of a policy file, in float64 (`milplib.policies.gcnn_shapes`)."""

        def embedding(side: str) -> tuple[Layer, Layer]:
            first, second = (
                (tensors[f"{side}_embedding.{n}.weight"], tensors[f"{side}_embedding.{n}.bias"])
                for n in (0, 2)
            )
            norm = {part: tensors[f"{side}_norm.{part}"] for part in ("shift", "scale")}
            return Layer.folded(*first, **norm), Layer.folded(*second)

        hidden = len(tensors["head.0.bias"])
        shift, scale = np.zeros(hidden), np.ones(hidden)
        if "block_norm.shift" in tensors:
            shift = np.concatenate((shift, tensors["block_norm.shift"]))
            scale = np.concatenate((scale, tensors["block_norm.scale"]))
        bias = tensors["head.0.bias"]
        return cls(
            variables=embedding("variable"),
            rows=embedding("row"),
            to_rows=Convolution.folded(tensors, "to_rows"),
            to_variables=Convolution.folded(tensors, "to_variables"),
            head=Layer.folded(tensors["head.0.weight"], bias, shift=shift, scale=scale),
            last=tensors["head.2.weight"][0].astype(np.float32),
            sums=Sums(sums),
        )

    @property
    def hidden(self) -> int:
        """Number of units of every layer."""
        return len(self.last)

    @property
    def n_block_columns(self) -> int:
        """Number of columns of the blocks that the network reads."""
        return len(self.head.weight) - self.hidden

    @property
    def tensors(self) -> tuple[Array, ...]:
        """All tensors, in the order of the native code."""
        embeddings = (*self.variables, *self.rows)
        return (
            *(tensor for layer in embeddings for tensor in (layer.weight, layer.bias)),
            *(*self.to_rows.tensors, *self.to_variables.tensors),
            *(self.head.weight, self.head.bias, self.last),
        )

    def score(self, state: BranchingState, blocks: Array) -> Array:
        """Score the candidates of a state, given their block columns. Shape (k,), float32."""
        row_of, column_of = state.edge_index
        edges = state.edge_features.astype(np.float32, copy=False)
        row_weight = column_weight = 1.0
        if self.sums is Sums.RELATIVE and len(edges):
            row_weight, column_weight = state.n_rows / len(edges), state.n_variables / len(edges)
            edges = edges * np.float32(row_weight**-0.5)
        variables = _embed(self.variables, state.variable_features)
        rows = _embed(self.rows, state.row_features)
        rows = self.to_rows(rows, variables, row_of, column_of, edges, row_weight)
        # From here on only the candidates' embeddings are needed.
        place = np.full(state.n_variables, -1)
        place[state.candidates] = np.arange(len(state.candidates))
        candidate_of = place[column_of]
        kept = candidate_of >= 0
        candidates = self.to_variables(
            *(variables[state.candidates], rows, candidate_of[kept], row_of[kept], edges[kept]),
            weight=column_weight,
        )
        scores: Array = _relu(self.head(np.hstack((candidates, blocks)))) @ self.last
        return scores


def check_state(state: BranchingState, blocks: Array) -> None:
    """Check the input of a network, as the native code does.

    Raises
    ------
    ValueError
        If a number is not finite, a position is out of range, or a candidate occurs twice.

    Examples
    --------
    >>> state = BranchingState(
    ...     variable_features=np.zeros((2, 19)), row_features=np.zeros((0, 5)),
    ...     edge_index=np.zeros((2, 0), dtype=np.int32), edge_features=np.zeros(0),
    ...     candidates=np.array([2], dtype=np.int32), has_incumbent=False)
    >>> check_state(state, np.zeros((1, 0), dtype=np.float32))
    Traceback (most recent call last):
    ValueError: candidates holds a position outside [0, 2)
    """
    for name in ("variable_features", "row_features", "edge_features"):
        if not np.isfinite(getattr(state, name).astype(np.float32, copy=False)).all():
            raise ValueError(f"{name} holds a number that is not finite")
    if not np.isfinite(blocks).all():
        raise ValueError("blocks holds a number that is not finite")
    row_of, column_of = state.edge_index
    for name, positions, end in (
        ("edge_index[0]", row_of, state.n_rows),
        ("edge_index[1]", column_of, state.n_variables),
        ("candidates", state.candidates, state.n_variables),
    ):
        if ((positions < 0) | (positions >= end)).any():
            raise ValueError(f"{name} holds a position outside [0, {end})")
    if len(np.unique(state.candidates)) != len(state.candidates):
        raise ValueError("candidates holds a column twice")


def _relu(x: Array) -> Array:
    return np.maximum(x, 0, out=x)


def _embed(layers: tuple[Layer, Layer], features: npt.NDArray[np.floating[Any]]) -> Array:
    x = features.astype(np.float32, copy=False)
    for layer in layers:
        x = _relu(layer(x))
    return x
