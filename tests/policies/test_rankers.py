"""Rankers as policies: they decide in real solves without their libraries; no bad file does."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import numpy as np
import pyscipopt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyscipopt import SCIP_PARAMSETTING

import milplib
from milplib.errors import PolicyError
from milplib.policies import ForestPolicy, LinearPolicy, PolicyFile, load_policy, write_policy
from milplib.policies.candidate_matrix import (
    AGGREGATED_FEATURES,
    aggregated_rows,
    candidate_matrix,
    matrix_columns,
    normalised,
)
from milplib.policies.loading import policy_of
from milplib.scip import (
    ROW_FEATURES,
    BlockSchema,
    PseudocostFeature,
    TreeFeature,
    VariableFeature,
    load_state_functions,
)

from .conftest import FAMILIES, PSEUDOCOST

KHALIL = BlockSchema.of(load_state_functions(["khalil"])[0])


def linear(*, blocks=(), seed=0):
    n = len(matrix_columns(blocks))
    weight = np.random.RandomState(seed).normal(size=n).astype(np.float32)
    return PolicyFile(
        architecture="linear",
        hyperparameters={"features": n},
        blocks=tuple(blocks),
        tensors={"weight": weight},
    )


def drawn_tree(rng, n_features, n_inner):
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


def forest(*, blocks=(), seed=0, trees=5, n_inner=20):
    n, rng = len(matrix_columns(blocks)), np.random.RandomState(seed)
    parts, root = [], []
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


def test_aggregated_features_are_those_of_a_loop_over_candidates(states):
    edge = (*ROW_FEATURES, "coefficient")
    for found in states.values():
        for state in found:
            expected = []
            for candidate in state.candidates:
                mine = state.edge_index[1] == candidate
                values = np.column_stack(
                    (state.row_features[state.edge_index[0][mine]], state.edge_features[mine])
                ).astype(np.float64)
                line = [values.mean(axis=0), values.min(axis=0), values.max(axis=0), [mine.sum()]]
                expected.append(np.concatenate(line))
            np.testing.assert_allclose(aggregated_rows(state), expected, rtol=1e-6, atol=1e-7)
    assert len(AGGREGATED_FEATURES) == 3 * len(edge) + 1


def test_a_candidate_in_no_row_has_zeros(states):
    state = states["set cover"][0]
    mine = state.edge_index[1] != state.candidates[0]
    without = dataclasses.replace(
        state, edge_index=state.edge_index[:, mine], edge_features=state.edge_features[mine]
    )
    assert not aggregated_rows(without)[0].any()
    assert np.array_equal(aggregated_rows(without)[1:], aggregated_rows(state)[1:])


def test_the_matrix_is_normalised_within_the_state(states):
    for found in states.values():
        for state in found:
            matrix = candidate_matrix(state, ("pseudocost", "tree"))
            assert matrix.dtype == np.float32
            assert matrix.shape == (
                len(state.candidates),
                len(VariableFeature)
                + len(AGGREGATED_FEATURES)
                + len(PseudocostFeature)
                + len(TreeFeature),
            )
            assert matrix.min() == 0.0
            assert matrix.max() <= 1.0
            assert not matrix[:, -len(TreeFeature) :].any()  # all candidates share the tree's line
            value = state.variable_features[state.candidates, VariableFeature.OBJECTIVE]
            if np.ptp(value) > 1e-5:
                assert np.array_equal(
                    np.argsort(matrix[:, VariableFeature.OBJECTIVE]), np.argsort(value)
                )


def test_differences_of_the_last_digits_are_no_features():
    features = np.array([[1.0, 0.0], [1.0 + 1e-7, 5e-30], [1.0 - 1e-7, 1e-29]])
    assert normalised(features)[:, 0].tolist() == [0.0, 0.0, 0.0]
    assert normalised(features)[:, 1].tolist() == [0.0, 0.5, 1.0]  # relative to their own size


@given(seed=st.integers(0, 10**6), n_inner=st.integers(0, 30), trees=st.integers(1, 4))
def test_a_forest_walks_as_a_loop_does(seed, n_inner, trees):
    content = forest(seed=seed, n_inner=n_inner, trees=trees)
    rng = np.random.RandomState(seed)
    lines = rng.uniform(size=(7, len(matrix_columns()))).astype(np.float32)
    lines[0] = content.tensors["threshold"][0]  # equal goes left
    tensors = content.tensors
    expected = np.zeros(len(lines))
    for number, line in enumerate(lines):
        for root in tensors["root"]:
            node = root
            while tensors["feature"][node] >= 0:
                goes_left = line[tensors["feature"][node]] <= tensors["threshold"][node]
                node = tensors["left" if goes_left else "right"][node]
            expected[number] += tensors["value"][node]
    policy = ForestPolicy(content, name="drawn")
    np.testing.assert_allclose(policy.score_matrix(lines), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("make", [linear, forest])
def test_a_ranker_decides_in_a_solve_with_the_blocks_that_it_reads(make, tmp_path):
    path = tmp_path / "mine.safetensors"
    write_policy(path, make(blocks=(KHALIL, PSEUDOCOST)))
    instance = FAMILIES["facility location"].generate(seed=1)
    model = instance.to_scip()
    model.hideOutput()
    for key in ("presolving/maxrounds", "separating/maxroundsroot"):
        model.setParam(key, 0)
    model.setHeuristics(SCIP_PARAMSETTING.OFF)
    use = milplib.include_policy(model, path, on_error="raise")
    model.optimize()
    assert use.calls > 3
    plain = pyscipopt.Model()
    instance.write(tmp_path / "a.lp")
    plain.hideOutput()
    plain.readProblem(str(tmp_path / "a.lp"))
    plain.optimize()
    assert model.getObjVal() == pytest.approx(plain.getObjVal(), rel=1e-6)


SOLVE = """
import sys
import numpy as np
import milplib
policy = milplib.load_policy(sys.argv[1])
policy.score_matrix(np.zeros((3, len(policy.columns)), dtype=np.float32))
for package in ("torch", "sklearn", "lightgbm", "wandb", "matplotlib", "pandas"):
    assert package not in sys.modules, package
"""


@pytest.mark.parametrize("make", [linear, forest])
def test_rankers_are_read_and_score_without_their_libraries(make, tmp_path):
    write_policy(tmp_path / "p.safetensors", make())
    subprocess.run([sys.executable, "-c", SOLVE, str(tmp_path / "p.safetensors")], check=True)


def test_what_is_written_is_read_to_the_bit(tmp_path):
    for name, make in (("linear", linear), ("forest", forest)):
        content = make(blocks=(PSEUDOCOST,))
        write_policy(tmp_path / f"{name}.safetensors", content)
        found = load_policy(tmp_path / f"{name}.safetensors").content
        for key, tensor in content.tensors.items():
            assert found.tensors[key].dtype == tensor.dtype
            assert found.tensors[key].tobytes() == tensor.tobytes()


def changed(content, **tensors):
    return dataclasses.replace(content, tensors={**content.tensors, **tensors})


def refused(content, message):
    with pytest.raises(PolicyError, match=message) as raised:
        policy_of(content, name="bad")
    assert "\n" not in str(raised.value)


def test_a_linear_file_that_does_not_fit_is_refused():
    content = linear()
    refused(changed(content, weight=np.ones(37, dtype=np.float32)), "'weight' is float32 of shape")
    refused(changed(content, weight=np.ones(38, dtype=np.int32)), "'weight' is int32")
    refused(changed(content, bias=np.ones(1, dtype=np.float32)), "'bias' .* expected none")
    refused(dataclasses.replace(content, tensors={}), "'weight' is none")
    for wrong in (None, 37, "38", 38.0, True):
        hyperparameters = {"features": wrong}
        refused(dataclasses.replace(content, hyperparameters=hyperparameters), "features")
    refused(dataclasses.replace(content, blocks=(BlockSchema("own", 1, ("a",)),)), "block 'own'")


def whole(*numbers):
    return np.array(numbers, dtype=np.int32)


def stump(**tensors):
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


def test_a_forest_that_is_none_is_refused():
    assert policy_of(stump(), name="good").score_matrix(np.zeros((1, 38), np.float32)) == [1.0]
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


def chain(levels):
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


def test_a_tree_of_too_many_levels_is_refused():
    deep = policy_of(chain(1000), name="deep")
    lines = np.zeros((2, 38), dtype=np.float32)
    lines[1, 0] = 1.0
    assert deep.score_matrix(lines).tolist() == [1.0, 2000.0]
    refused(chain(1001), "more than 1000 levels")


@pytest.mark.parametrize("make", [linear, forest])
def test_a_file_with_a_byte_changed_is_refused_in_one_line_or_scores_finitely(make, tmp_path):
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
            policy = load_policy(path)
        except PolicyError as error:
            messages.append(str(error))
        else:
            matrix = np.zeros((2, len(policy.columns)), dtype=np.float32)
            assert np.isfinite(policy.score_matrix(matrix)).all()
            scored += 1
    assert scored > 10
    assert len(messages) > 10
    assert not [message for message in messages if "\n" in message]


def test_a_state_that_cannot_be_scored_is_named(states):
    policy = LinearPolicy(linear(blocks=(PSEUDOCOST,)), name="mine")
    state = states["set cover"][0]
    assert policy.score(state).shape == (len(state.candidates),)
    for bad in (np.nan, np.inf, -np.inf):
        features = state.variable_features.copy()
        features[state.candidates[0], 0] = bad
        with pytest.raises(PolicyError, match=r"'mine' cannot score this: .* not finite"):
            policy.score(dataclasses.replace(state, variable_features=features))
        edges = state.edge_features.copy()
        edges[state.edge_index[1] == state.candidates[-1]] = bad
        with pytest.raises(PolicyError, match="not finite"):
            policy.score(dataclasses.replace(state, edge_features=edges))
    for end in (0, 1):
        for position in (-1, 10**6):
            ends = state.edge_index.copy()
            mine = np.flatnonzero(state.edge_index[1] == state.candidates[0])
            ends[end, mine[0]] = position
            with pytest.raises(PolicyError, match="'mine' cannot score this: "):
                policy.score(dataclasses.replace(state, edge_index=ends))
    for first in (state.candidates[1], -1, 10**6):
        twice = state.candidates.copy()
        twice[0] = first
        with pytest.raises(PolicyError, match="'mine' cannot score this: "):
            policy.score(dataclasses.replace(state, candidates=twice))
    with pytest.raises(PolicyError, match="lacks the block 'pseudocost'"):
        policy.score(dataclasses.replace(state, blocks={}))


def test_a_network_with_whole_numbers_for_weights_is_refused():
    from .conftest import noise

    content = noise()
    tensors = {**content.tensors, "head.0.bias": np.zeros(16, dtype=np.int32)}
    refused(dataclasses.replace(content, tensors=tensors), r"'head\.0\.bias' in int32")
