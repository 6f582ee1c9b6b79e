"""The folded network gives what the network's formulas say, edge by edge."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from slow_parameters import slow

from milplib.errors import PolicyError
from milplib.policies import GCNN_SUMS, GcnnPolicy, PolicyFile, best_candidate
from milplib.scip import BlockSchema, BranchingState

from .conftest import FAMILIES, PSEUDOCOST, TREE, noise


def relu(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.maximum(x, 0)


def textbook_scores(content: PolicyFile, state: BranchingState) -> npt.NDArray[np.float64]:
    """The formulas as they stand in the paper, in float64, one message an edge."""
    w = {name: tensor.astype(np.float64) for name, tensor in content.tensors.items()}

    def norm(name: str, x: Any) -> Any:
        return (x + w[f"{name}.shift"]) * w[f"{name}.scale"]

    def dense(name: str, x: Any) -> Any:
        return x @ w[f"{name}.weight"].T + w.get(f"{name}.bias", 0.0)

    def embedding(side: Any, x: Any) -> Any:
        name = f"{side}_embedding"
        return relu(dense(f"{name}.2", relu(dense(f"{name}.0", norm(f"{side}_norm", x)))))

    def convolution(
        name: str,
        targets: Any,
        sources: Any,
        target_of: Any,
        source_of: Any,
        edges: Any,
        mean_edges: Any,
    ) -> Any:
        total = np.zeros_like(targets)
        for target, source, edge in zip(target_of, source_of, edges, strict=True):
            joint = (
                dense(f"{name}.target", targets[target])
                + dense(f"{name}.edge", edge)
                + dense(f"{name}.source", sources[source])
            )
            message = relu(joint * w[f"{name}.message_norm.scale"])
            total[target] += dense(f"{name}.message", message) / mean_edges
        joined = np.hstack((total * w[f"{name}.output_norm.scale"], targets))
        return relu(dense(f"{name}.output.2", relu(dense(f"{name}.output.0", joined))))

    of_a_row = of_a_column = 1.0
    if content.hyperparameters.get("sums") == "relative" and len(state.edge_features):
        of_a_row, of_a_column = (
            len(state.edge_features) / size for size in (state.n_rows, state.n_variables)
        )
    edges = state.edge_features.astype(np.float64)[:, None] * np.sqrt(of_a_row)
    edges = norm("edge_norm", edges)
    variables = embedding("variable", state.variable_features.astype(np.float64))
    rows = embedding("row", state.row_features.astype(np.float64))
    row_of, column_of = state.edge_index
    rows = convolution("to_rows", rows, variables, row_of, column_of, edges, of_a_row)
    variables = convolution("to_variables", variables, rows, column_of, row_of, edges, of_a_column)
    features = variables[state.candidates]
    if content.blocks:
        columns = [
            np.broadcast_to(state.blocks[b.name], (len(features), len(b.columns)))
            for b in content.blocks
        ]
        features = np.hstack((features, norm("block_norm", np.hstack(columns).astype(np.float64))))
    result: npt.NDArray[np.float64] = dense("head.2", relu(dense("head.0", features)))[:, 0]
    return result


@pytest.mark.parametrize("sums", GCNN_SUMS)
@pytest.mark.parametrize("blocks", [(), slow((PSEUDOCOST,)), (TREE, PSEUDOCOST)])
@pytest.mark.parametrize("family", FAMILIES)
def test_scores_are_those_of_the_formulas(
    family: str, blocks: tuple[Any, ...], sums: str, states: dict[str, list[BranchingState]]
) -> None:
    content = noise(blocks=blocks, seed=len(blocks), sums=sums)
    policy = GcnnPolicy(content, name="noise")
    for state in states[family]:
        expected = textbook_scores(content, state)
        found = policy.score(state)
        assert found.shape == state.candidates.shape
        assert (np.abs(found - expected) <= 1e-5 * np.maximum(1, np.abs(expected))).all()


def test_a_negative_scale_of_a_message_is_folded_correctly(
    states: dict[str, list[BranchingState]],
) -> None:
    content = noise(seed=5)
    content.tensors["to_rows.message_norm.scale"][:] = -0.7
    state = states["auction"][0]
    expected = textbook_scores(content, state)
    assert np.allclose(GcnnPolicy(content, name="n").score(state), expected, rtol=1e-5, atol=1e-5)


def test_scores_do_not_depend_on_the_order_of_rows_columns_or_edges(
    states: dict[str, list[BranchingState]],
) -> None:
    rng = np.random.RandomState(3)
    policy = GcnnPolicy(noise(), name="noise")
    for family in FAMILIES:
        state = states[family][0]
        rows, columns = rng.permutation(state.n_rows), rng.permutation(state.n_variables)
        edges = rng.permutation(len(state.edge_features))
        new_row, new_column = np.argsort(rows), np.argsort(columns)
        shuffled = dataclasses.replace(
            state,
            variable_features=state.variable_features[columns],
            row_features=state.row_features[rows],
            edge_index=np.vstack(
                (new_row[state.edge_index[0]], new_column[state.edge_index[1]])
            ).astype(np.int32)[:, edges],
            edge_features=state.edge_features[edges],
            candidates=new_column[state.candidates].astype(np.int32),
        )
        scores = policy.score(state)
        # Sums in another order round otherwise, in proportion to what was summed.
        scale = max(1, np.abs(scores).max())
        assert np.abs(policy.score(shuffled) - scores).max() <= 1e-5 * scale


@pytest.mark.parametrize("sums", GCNN_SUMS)
def test_a_state_without_rows_or_with_one_candidate_is_scored(sums: str) -> None:
    lonely = BranchingState(
        variable_features=np.ones((3, 19), dtype=np.float32),
        row_features=np.empty((0, 5), dtype=np.float32),
        edge_index=np.empty((2, 0), dtype=np.int32),
        edge_features=np.empty(0, dtype=np.float32),
        candidates=np.array([2], dtype=np.int32),
        has_incumbent=False,
    )
    content = noise(sums=sums)
    scores = GcnnPolicy(content, name="noise").score(lonely)
    assert np.allclose(scores, textbook_scores(content, lonely), rtol=1e-5, atol=1e-5)


def test_relative_sums_do_not_change_when_every_row_and_column_is_there_twice(
    states: dict[str, list[BranchingState]],
) -> None:
    # Twice as many rows and columns, and twice as many messages at each of them.
    policy, absolute = (GcnnPolicy(noise(sums=sums), name="noise") for sums in GCNN_SUMS[::-1])
    for family in FAMILIES:
        state = states[family][0]
        m, n = state.n_rows, state.n_variables
        denser = dataclasses.replace(
            state,
            variable_features=np.vstack([state.variable_features] * 2),
            row_features=np.vstack([state.row_features] * 2),
            edge_index=np.hstack(
                [state.edge_index + np.array([[r * m], [c * n]]) for r in (0, 1) for c in (0, 1)]
            ).astype(np.int32),
            # An entry of a row is relative to the row's norm.
            edge_features=np.hstack([state.edge_features] * 4) / np.float32(np.sqrt(2)),
        )
        scores = policy.score(state)
        bound = 1e-5 * max(1, np.abs(scores).max())
        assert np.abs(policy.score(denser) - scores).max() <= bound
        assert np.abs(absolute.score(denser) - absolute.score(state)).max() > 10 * bound


def test_sums_of_another_kind_are_refused() -> None:
    with pytest.raises(PolicyError, match=r"has 'mean' sums; this milplib knows absolute and rel"):
        GcnnPolicy(noise(sums="mean"), name="noise")


def test_a_block_that_is_missing_or_has_other_lines_is_an_error(
    states: dict[str, list[BranchingState]],
) -> None:
    policy = GcnnPolicy(noise(blocks=(PSEUDOCOST,)), name="noise")
    state = states["auction"][0]
    with pytest.raises(PolicyError, match="lacks the block 'pseudocost'"):
        policy.score(dataclasses.replace(state, blocks={}))
    cut = state.blocks["pseudocost"][:-1]
    with pytest.raises(PolicyError, match="lines for"):
        policy.score(dataclasses.replace(state, blocks={"pseudocost": cut}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("head.0.bias"), "'head.0.bias' has shape none"),
        (lambda t: t.update(extra=np.ones(1, dtype=np.float32)), "'extra' has shape"),
        (
            lambda t: t.update({"to_rows.edge.weight": np.ones((16, 2), dtype=np.float32)}),
            "'to_rows.edge.weight' has shape",
        ),
    ],
)
def test_tensors_that_do_not_fit_are_named(change: Callable[..., Any], message: str) -> None:
    content = noise()
    change(content.tensors)
    with pytest.raises(PolicyError, match=message):
        GcnnPolicy(content, name="noise")


def test_a_block_that_is_unknown_or_of_another_version_is_named() -> None:
    for block, message in [
        (BlockSchema("mine", 1, ("a",)), "does not have"),
        (dataclasses.replace(PSEUDOCOST, version=2), "version 2"),
    ]:
        with pytest.raises(PolicyError, match=message):
            GcnnPolicy(noise(blocks=(block,)), name="noise")


def test_of_tied_scores_the_lowest_column_wins() -> None:
    candidates = np.array([9, 4, 6], dtype=np.int32)
    assert best_candidate(np.array([1.0, 1.0 - 1e-7, 0.5]), candidates) == 1
    assert best_candidate(np.array([1.0, 1.0 - 1e-3, 0.5]), candidates) == 0
    assert best_candidate(np.array([-1.0, -1.0 - 1e-7, -2.0]), candidates) == 1
