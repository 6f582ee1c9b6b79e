"""Rankers as policies: they decide in real solves without their libraries; no bad file does."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyscipopt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyscipopt import SCIP_PARAMSETTING

import milplib
from milplib.errors import PolicyError
from milplib.policies import ForestPolicy, LinearPolicy, write_policy
from milplib.policies.candidate_matrix import (
    AGGREGATED_FEATURES,
    aggregated_rows,
    candidate_matrix,
    matrix_columns,
    normalised,
)
from milplib.scip import (
    ROW_FEATURES,
    BranchingState,
    PseudocostFeature,
    TreeFeature,
    VariableFeature,
)

from .conftest import FAMILIES, PSEUDOCOST
from .drawn_rankers import KHALIL, forest, linear


def test_aggregated_features_are_those_of_a_loop_over_candidates(
    states: dict[str, list[BranchingState]],
) -> None:
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


def test_a_candidate_in_no_row_has_zeros(states: dict[str, list[BranchingState]]) -> None:
    state = states["set cover"][0]
    mine = state.edge_index[1] != state.candidates[0]
    without = dataclasses.replace(
        state, edge_index=state.edge_index[:, mine], edge_features=state.edge_features[mine]
    )
    assert not aggregated_rows(without)[0].any()
    assert np.array_equal(aggregated_rows(without)[1:], aggregated_rows(state)[1:])


def test_the_matrix_is_normalised_within_the_state(states: dict[str, list[BranchingState]]) -> None:
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


def test_differences_of_the_last_digits_are_no_features() -> None:
    features = np.array([[1.0, 0.0], [1.0 + 1e-7, 5e-30], [1.0 - 1e-7, 1e-29]])
    assert normalised(features)[:, 0].tolist() == [0.0, 0.0, 0.0]
    assert normalised(features)[:, 1].tolist() == [0.0, 0.5, 1.0]  # relative to their own size


@given(seed=st.integers(0, 10**6), n_inner=st.integers(0, 30), trees=st.integers(1, 4))
def test_a_forest_walks_as_a_loop_does(seed: int, n_inner: int, trees: int) -> None:
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
def test_a_ranker_decides_in_a_solve_with_the_blocks_that_it_reads(
    make: Callable[..., Any], tmp_path: Path
) -> None:
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
def test_rankers_are_read_and_score_without_their_libraries(
    make: Callable[..., Any], tmp_path: Path
) -> None:
    write_policy(tmp_path / "p.safetensors", make())
    subprocess.run([sys.executable, "-c", SOLVE, str(tmp_path / "p.safetensors")], check=True)


def test_a_state_that_cannot_be_scored_is_named(states: dict[str, list[BranchingState]]) -> None:
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
