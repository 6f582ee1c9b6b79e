"""The network in native code: the formulas' scores, one choice everywhere, errors for the rest."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from market_split import market_split
from slow_parameters import slow, slow_except

import milplib
from milplib.errors import PolicyError
from milplib.policies import GCNN_SUMS, GcnnPolicy, PolicyFile, best_candidate, write_policy
from milplib.policies.choice import TIE_TOLERANCE
from milplib.policies.compiled import CompiledGcnn
from milplib.scip import BranchingState, extract_state, load_state_functions
from milplib.scip.native import native_status

from .conftest import FAMILIES, PSEUDOCOST, TREE, noise
from .native_network import (
    LEVELS,
    MODELS,
    at_nodes,
    close,
    folded,
    native,
    network_content,
    random_state,
)
from .plugged import quiet
from .test_gcnn import textbook_scores

pytestmark = pytest.mark.skipif(native is None, reason=native_status().reason)


@pytest.mark.parametrize("blocks", [(), slow((PSEUDOCOST,)), (TREE, PSEUDOCOST)], ids=str)
@pytest.mark.parametrize("name", MODELS)
def test_scores_are_those_of_the_formulas_at_every_level(
    name: str, blocks: tuple[Any, ...]
) -> None:
    content = network_content(blocks=blocks, seed=len(blocks))
    networks = [CompiledGcnn(native, folded(content), level=level) for level in LEVELS]
    functions = load_state_functions([block.name for block in blocks])
    policy = GcnnPolicy(content, name="noise")

    def look(model: Any) -> None:
        state = extract_state(model, state_functions=functions)
        expected = textbook_scores(content, state)
        assert close(policy.score(state), expected)
        joined = np.hstack(
            [
                np.empty((len(expected), 0)),
                *(
                    np.broadcast_to(state.blocks[b.name], (len(expected), len(b.columns)))
                    for b in blocks
                ),
            ]
        )
        found = [network.score(state, joined) for network in networks]
        assert all(close(scores, expected) for scores in found)
        assert len({best_candidate(scores, state.candidates) for scores in found}) == 1

    at_nodes(MODELS[name](), look, count=4)


@pytest.mark.parametrize("sums", GCNN_SUMS)
@pytest.mark.parametrize("hidden", slow_except([7], [1, 7, 16, 32, 48, 64, 100]))
def test_every_width_of_a_network_is_scored(
    hidden: int, sums: str, states: dict[str, list[BranchingState]]
) -> None:
    content = network_content(hidden=hidden, seed=hidden, sums=sums)
    for level in LEVELS:
        network = CompiledGcnn(native, folded(content), level=level)
        for family in FAMILIES:
            state = states[family][0]
            none = np.empty((len(state.candidates), 0), dtype=np.float32)
            assert close(network.score(state, none), textbook_scores(content, state))


@pytest.mark.parametrize(
    ("n", "m", "n_edges", "k"),
    [
        *[(1, 0, 0, 1), (1, 1, 1, 1), (50, 3, 400, 7), (5, 40, 30, 0), (3_000, 1, 3_000, 2_999)],
        slow(10_000, 50, 20_000, 3_000),
        slow(10_000, 2_000, 30_000, 1),
    ],
)
@pytest.mark.parametrize("sums", GCNN_SUMS)
def test_any_size_is_scored(n: int, m: int, n_edges: int, k: int, sums: str) -> None:
    state = random_state(np.random.default_rng(n + k), n, m, n_edges, k)
    content = noise(hidden=32, seed=1, sums=sums)
    expected = textbook_scores(content, state)
    none = np.empty((k, 0), dtype=np.float32)
    for level in LEVELS:
        found = CompiledGcnn(native, folded(content), level=level).score(state, none)
        # relative to the largest sums: here they come to thousands, and cancel
        assert (np.abs(found - expected) <= 1e-5 * max(1, np.abs(expected).max(initial=0))).all()


@pytest.mark.parametrize("sums", GCNN_SUMS)
def test_a_network_scores_states_of_changing_sizes_as_if_each_were_the_first(sums: str) -> None:
    content = noise(hidden=16, seed=2, sums=sums)
    rng = np.random.default_rng(0)
    network = CompiledGcnn(native, folded(content))
    for _ in range(30):
        n, m, k = rng.integers(1, 200), rng.integers(1, 100), 1
        state = random_state(rng, n, m, int(rng.integers(0, 1000)), min(n, k + rng.integers(50)))
        none = np.empty((len(state.candidates), 0), dtype=np.float32)
        fresh = CompiledGcnn(native, folded(content)).score(state, none)
        assert fresh.tobytes() == network.score(state, none).tobytes()


@pytest.mark.parametrize(
    ("blocks", "sums"), [((), "absolute"), ((PSEUDOCOST,), "absolute"), ((), "relative")], ids=str
)
@pytest.mark.parametrize("name", MODELS)
def test_a_whole_decision_is_extraction_scores_and_choice(
    name: str, blocks: tuple[Any, ...], sums: str
) -> None:
    content = network_content(blocks=blocks, seed=7, sums=sums)
    networks = [CompiledGcnn(native, folded(content), level=level) for level in LEVELS]
    functions = load_state_functions([block.name for block in blocks])
    policy = GcnnPolicy(content, name="noise")

    def look(model: Any) -> None:
        state = extract_state(model, state_functions=functions)
        scores = policy.score(state)
        best = best_candidate(scores, state.candidates)
        for network in networks:
            candidates, found, chosen = network.judge(model)
            assert np.array_equal(candidates, state.candidates)
            assert close(found, scores)
            assert chosen == best

    at_nodes(MODELS[name](), look)


def test_of_tied_scores_the_lowest_column_wins_in_native_code_too() -> None:
    content = noise(hidden=16)
    content.tensors["head.2.weight"][:] = 0.0  # all scores are 0

    def look(model: Any) -> None:
        candidates, scores, chosen = network.judge(model)
        assert not scores.any()
        assert candidates[chosen] == candidates.min()

    network = CompiledGcnn(native, folded(content))
    at_nodes(MODELS["auction"](), look)
    assert TIE_TOLERANCE > 0


TREES = """
import sys, milplib, numpy, pyscipopt
from milplib.generators import CombinatorialAuction, SetCover
from milplib.scip.native import native_status
nodes = []
FAMILIES = CombinatorialAuction(n_items=40, n_bids=100), SetCover(
    n_rows=200, n_columns=300, density=0.05)
for family in FAMILIES:
    for seed in range(2):
        model = family.generate(seed=seed).to_scip()
        model.hideOutput()
        model.setParam("misc/usesymmetry", 0)  # it depends on memory addresses
        model.setParam("separating/maxroundsroot", 0)  # so that there is something to branch on
        model.setParam("presolving/maxrounds", 0)
        use = milplib.include_policy(model, sys.argv[1], on_error="raise")
        model.optimize()
        nodes.append((use.calls, model.getNTotalNodes(), model.getNLPIterations()))
        assert min(use.observe_time, use.score_time, use.branch_time) > 0 or use.calls == 0
print(nodes, native_status().module is not None)
"""


@pytest.mark.slow
@pytest.mark.parametrize("blocks", [(), (PSEUDOCOST,), (TREE,)], ids=str)
def test_trees_are_the_same_without_native_code_and_at_every_level(
    blocks: tuple[Any, ...], tmp_path: Path
) -> None:
    # With these weights no score comes within 1e-6 of the edge of the tolerance for ties, where
    # the last digit decides, and with it the processor.
    content = network_content(hidden=32, blocks=blocks, seed=3)
    write_policy(tmp_path / "p.safetensors", content)
    found = []
    for variables in (
        {"MILPLIB_NATIVE": "0"},
        *({"MILPLIB_NATIVE": "1", "MILPLIB_NATIVE_LEVEL": level} for level in LEVELS),
    ):
        done = subprocess.run(
            [sys.executable, "-c", TREES, str(tmp_path / "p.safetensors")],
            env=os.environ | variables,
            capture_output=True,
            text=True,
            check=True,
        )
        nodes, _, is_native = done.stdout.strip().rpartition(" ")
        assert is_native == str(variables["MILPLIB_NATIVE"] == "1")
        found.append(nodes)
    assert len(set(found)) == 1
    assert "(0, " not in found[0]  # it decided in every solve


def overflowing(**options: Any) -> PolicyFile:
    """A network whose scores overflow float32."""
    content = noise(**options)
    content.tensors["head.0.weight"][:] = 3e38
    content.tensors["head.2.weight"][:] = 3e38
    return content


@pytest.mark.parametrize("blocks", [(), (PSEUDOCOST,)], ids=str)
def test_scores_that_are_not_finite_are_the_policys_error(blocks: tuple[Any, ...]) -> None:
    policy = GcnnPolicy(overflowing(blocks=blocks), name="huge")
    model = quiet(rule="mostinf")
    use = milplib.include_policy(model, policy)
    model.optimize()
    assert model.getStatus() == "optimal"
    assert use.errors > 1
    assert use.calls == 0
    assert isinstance(use.first_error, PolicyError)
    assert "'huge' gave a score that is not finite" in str(use.first_error)
    model = quiet()
    milplib.include_policy(model, policy, on_error="raise")
    with pytest.raises(PolicyError, match="not finite"):
        model.optimize()


def test_a_policy_is_used_by_several_models_at_once() -> None:
    policy = GcnnPolicy(noise(hidden=16), name="shared")
    found: dict[Any, Any] = {}

    def run(seed: int) -> None:
        model = quiet(market_split(seed, n_columns=12))
        model.setParam("misc/usesymmetry", 0)
        use = milplib.include_policy(model, policy, on_error="raise")
        model.optimizeNogil()
        found.setdefault(seed, []).append((model.getNTotalNodes(), use.calls))

    threads = [threading.Thread(target=run, args=(seed,)) for seed in (0, 1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in (0, 1, 2):
        run(seed)
    assert all(first == second for first, second in found.values())
    assert all(calls > 0 for (_, calls), _ in found.values())


def test_a_policy_can_be_copied_and_sent_to_another_process(
    states: dict[str, list[BranchingState]],
) -> None:
    policy = GcnnPolicy(noise(), name="noise")
    state = states["auction"][0]
    scores = policy.score(state)
    for other in (copy.deepcopy(policy), pickle.loads(pickle.dumps(policy))):
        assert np.array_equal(other.score(state), scores)
