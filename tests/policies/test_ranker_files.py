"""A ranker's file is read to the bit, or refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from narrowing import of_class

from milplib.errors import PolicyError
from milplib.policies import PolicyFile, load_policy, write_policy
from milplib.policies.forest import ForestPolicy
from milplib.policies.loading import policy_of
from milplib.scip import (
    BlockSchema,
)

from .conftest import PSEUDOCOST
from .drawn_rankers import forest, linear


def test_what_is_written_is_read_to_the_bit(tmp_path: Path) -> None:
    for name, make in (("linear", linear), ("forest", forest)):
        content = make(blocks=(PSEUDOCOST,))
        write_policy(tmp_path / f"{name}.safetensors", content)
        policy: Any = load_policy(tmp_path / f"{name}.safetensors")
        found = policy.content
        for key, tensor in content.tensors.items():
            assert found.tensors[key].dtype == tensor.dtype
            assert found.tensors[key].tobytes() == tensor.tobytes()


def changed(content: PolicyFile, **tensors: Any) -> PolicyFile:
    return dataclasses.replace(content, tensors={**content.tensors, **tensors})


def refused(content: PolicyFile, message: str) -> None:
    with pytest.raises(PolicyError, match=message) as raised:
        policy_of(content, name="bad")
    assert "\n" not in str(raised.value)


def test_a_linear_file_that_does_not_fit_is_refused() -> None:
    content = linear()
    refused(changed(content, weight=np.ones(37, dtype=np.float32)), "'weight' is float32 of shape")
    refused(changed(content, weight=np.ones(38, dtype=np.int32)), "'weight' is int32")
    refused(changed(content, bias=np.ones(1, dtype=np.float32)), "'bias' .* expected none")
    refused(dataclasses.replace(content, tensors={}), "'weight' is none")
    for wrong in (None, 37, "38", 38.0, True):
        hyperparameters = {"features": wrong}
        refused(dataclasses.replace(content, hyperparameters=hyperparameters), "features")
    refused(dataclasses.replace(content, blocks=(BlockSchema("own", 1, ("a",)),)), "block 'own'")


def whole(*numbers: int) -> npt.NDArray[np.int32]:
    return np.array(numbers, dtype=np.int32)


def stump(**tensors: Any) -> PolicyFile:
    numbers = {
        "feature": whole(0, -1, -1),
        "left": whole(1, -1, -1),
        "right": whole(2, -1, -1),
        "root": whole(0),
        "threshold": np.zeros(3, dtype=np.float32),
        "value": np.ones(3, dtype=np.float32),
    }
    return dataclasses.replace(
        forest(trees=1), hyperparameters={"features": 38, "trees": 1}, tensors=numbers | tensors
    )


def test_a_forest_that_is_none_is_refused() -> None:
    assert of_class(policy_of(stump(), name="good"), ForestPolicy).score_matrix(
        np.zeros((1, 38), np.float32)
    ) == [1.0]
    refused(stump(feature=whole(38, -1, -1)), "feature outside")
    refused(stump(feature=whole(-2, -1, -1)), "feature outside")
    for sides in (
        {"left": whole(0, -1, -1)},  # round and round
        {"left": whole(2, -1, -1)},  # one child of two sides
        {"left": whole(3, -1, -1)},
        {"right": whole(-1, -1, -1)},
        {"root": whole(1)},
        {"root": whole(-1)},
    ):
        refused(stump(**sides), "are not trees")
    refused(stump(root=whole()), "0 roots")
    refused(stump(root=whole(0, 0)), "2 roots")
    refused(stump(value=np.ones(2, dtype=np.float32)), "'value'")
    refused(stump(threshold=whole(0, 0, 0)), "'threshold' is int32")


def chain(levels: int) -> PolicyFile:
    """A tree that is one long path: every left child is a leaf."""
    n = 2 * levels + 1
    place = np.arange(n)
    is_inner = (place % 2 == 0) & (place < n - 1)
    return stump(
        feature=np.where(is_inner, 0, -1).astype(np.int32),
        left=np.where(is_inner, place + 1, -1).astype(np.int32),
        right=np.where(is_inner, place + 2, -1).astype(np.int32),
        threshold=np.zeros(n, dtype=np.float32),
        value=place.astype(np.float32),
    )


def test_a_tree_of_too_many_levels_is_refused() -> None:
    deep = policy_of(chain(1000), name="deep")
    lines = np.zeros((2, 38), dtype=np.float32)
    lines[1, 0] = 1.0
    assert of_class(deep, ForestPolicy).score_matrix(lines).tolist() == [1.0, 2000.0]
    refused(chain(1001), "more than 1000 levels")


@pytest.mark.parametrize("make", [linear, forest])
def test_a_file_with_a_byte_changed_is_refused_in_one_line_or_scores_finitely(
    make: Callable[..., Any], tmp_path: Path
) -> None:
    """A changed weight is a weight; anything else must be a PolicyError, never another one."""
    path = tmp_path / "p.safetensors"
    write_policy(path, make(blocks=(PSEUDOCOST,)))
    content = path.read_bytes()
    rng, messages, scored = np.random.RandomState(0), [], 0
    for _ in range(150):
        damaged = bytearray(content)
        for _ in range(rng.randint(1, 4)):
            damaged[rng.randint(len(damaged))] = rng.randint(256)
        path.write_bytes(bytes(damaged))
        try:
            policy: Any = load_policy(path)
        except PolicyError as error:
            messages.append(str(error))
        else:
            matrix = np.zeros((2, len(policy.columns)), dtype=np.float32)
            assert np.isfinite(policy.score_matrix(matrix)).all()
            scored += 1
    assert scored > 10
    assert len(messages) > 10
    assert not [message for message in messages if "\n" in message]


def test_a_network_with_whole_numbers_for_weights_is_refused() -> None:
    from .conftest import noise

    content = noise()
    tensors = {**content.tensors, "head.0.bias": np.zeros(16, dtype=np.int32)}
    refused(dataclasses.replace(content, tensors=tensors), r"'head\.0\.bias' in int32")
