"""Rankers whose weights and trees are drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from milplib.policies import PolicyFile
from milplib.policies.candidate_matrix import (
    matrix_columns,
)
from milplib.scip import (
    BlockSchema,
    load_state_functions,
)

KHALIL = BlockSchema.of(load_state_functions(["khalil"])[0])


def linear(*, blocks: tuple[BlockSchema, ...] = (), seed: int = 0) -> PolicyFile:
    n = len(matrix_columns(blocks))
    weight = np.random.RandomState(seed).normal(size=n).astype(np.float32)
    return PolicyFile(
        architecture="linear",
        hyperparameters={"features": n},
        blocks=tuple(blocks),
        tensors={"weight": weight},
    )


def drawn_tree(rng: Any, n_features: int, n_inner: int) -> tuple[npt.NDArray[Any], ...]:
    """A tree that grows at a leaf drawn again and again, so that it is not balanced."""
    feature, left, right = [-1], [-1], [-1]
    for _ in range(n_inner):
        leaf = rng.choice(np.flatnonzero(np.array(feature) < 0))
        feature[leaf] = int(rng.randint(n_features))
        left[leaf], right[leaf] = len(feature), len(feature) + 1
        feature += [-1, -1]
        left += [-1, -1]
        right += [-1, -1]
    return np.array(feature), np.array(left), np.array(right)


def forest(
    *, blocks: tuple[BlockSchema, ...] = (), seed: int = 0, trees: int = 5, n_inner: int = 20
) -> PolicyFile:
    n, rng = len(matrix_columns(blocks)), np.random.RandomState(seed)
    parts: list[Any] = []
    root: list[Any] = []
    for _ in range(trees):
        feature, left, right = drawn_tree(rng, n, n_inner)
        start = sum(len(part[0]) for part in parts)
        root.append(start)
        parts.append(
            (feature, *(np.where(feature < 0, -1, side + start) for side in (left, right)))
        )
    feature, left, right = (
        np.concatenate(column).astype(np.int32) for column in zip(*parts, strict=True)
    )
    return PolicyFile(
        architecture="forest",
        hyperparameters={"features": n, "trees": trees},
        blocks=tuple(blocks),
        tensors={
            "feature": feature,
            "left": left,
            "right": right,
            "root": np.array(root, dtype=np.int32),
            "threshold": rng.uniform(size=len(feature)).astype(np.float32),
            "value": rng.normal(size=len(feature)).astype(np.float32),
        },
    )
