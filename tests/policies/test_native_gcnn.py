"""The network in native code: the formulas' scores, one choice everywhere, errors for the rest."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import resource
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pyscipopt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyscipopt import SCIP_PARAMSETTING, SCIP_RESULT

import milplib
from milplib.errors import PolicyError
from milplib.generators import CombinatorialAuction
from milplib.policies import GCNN_SUMS, GcnnPolicy, best_candidate, write_policy
from milplib.policies.choice import TIE_TOLERANCE
from milplib.policies.compiled import CompiledGcnn
from milplib.policies.folded import FoldedGcnn
from milplib.scip import BranchingState, branching_candidates, extract_state, load_state_functions
from milplib.scip.native import native_status
from milplib.scip.rule import GuardedRule
from milplib.scip.self_test import mixed_model

from .conftest import FAMILIES, PSEUDOCOST, TREE, noise
from .test_gcnn import textbook_scores
from .test_plugin import knapsack_with_integers, quiet

native = native_status().module
pytestmark = pytest.mark.skipif(native is None, reason=native_status().reason)
LEVELS = native.levels() if native else ()

MODELS = {
    **{
        name: lambda family=family: family.generate(seed=4).to_scip()
        for name, family in FAMILIES.items()
    },
    "knapsack": lambda: knapsack_with_integers("maximize").to_scip(),
    "mixed": mixed_model,
}


def network_content(*, hidden=64, blocks=(), seed=0, sums="absolute"):
    """Drawn weights that keep the size of what goes through them, as trained ones do."""
    content = noise(hidden=hidden, blocks=blocks, seed=seed, sums=sums)
    for name, tensor in content.tensors.items():
        if name.endswith("weight"):
            tensor *= np.float32(3.0 / np.sqrt(tensor.shape[1]))
    return content


def folded(content):
    return FoldedGcnn.of(
        {name: t.astype(np.float64) for name, t in content.tensors.items()},
        sums=content.hyperparameters.get("sums", "absolute"),
    )


def close(found, expected):
    # the bound; float32 sums of up to thousands of terms come to about 1e-6
    return (np.abs(found - expected) <= 1e-5 * np.maximum(1, np.abs(expected))).all()


def random_state(rng, n, m, n_edges, k):
    """A state of no instance, with edges in no order."""
    return BranchingState(
        variable_features=rng.normal(size=(n, 19)).astype(np.float32),
        row_features=rng.normal(size=(m, 5)).astype(np.float32),
        edge_index=np.vstack((rng.integers(m, size=n_edges), rng.integers(n, size=n_edges))).astype(
            np.int32
        )
        if n_edges
        else np.empty((2, 0), dtype=np.int32),
        edge_features=rng.normal(size=n_edges).astype(np.float32),
        candidates=rng.permutation(n)[:k].astype(np.int32),
        has_incumbent=True,
    )


class AtNodes(GuardedRule):
    """Call a function at every node, then branch on the first candidate."""

    def __init__(self, function, count):
        super().__init__()
        self.function, self.count, self.calls = function, count, 0

    def decide(self):
        self.calls += 1
        self.function(self.model)
        if self.calls >= self.count:
            self.model.interruptSolve()
        self.model.branchVar(branching_candidates(self.model)[0])
        return SCIP_RESULT.BRANCHED


def at_nodes(model, function, *, count=12):
    model.hideOutput()
    for key in ("presolving/maxrounds", "separating/maxroundsroot"):
        model.setParam(key, 0)
    model.setHeuristics(SCIP_PARAMSETTING.OFF)
    rule = AtNodes(function, count)
    rule.include(model, "at-nodes")
    model.optimize()
    assert rule.calls


@pytest.mark.parametrize("blocks", [(), (PSEUDOCOST,), (TREE, PSEUDOCOST)], ids=str)
@pytest.mark.parametrize("name", MODELS)
def test_scores_are_those_of_the_formulas_at_every_level(name, blocks):
    content = network_content(blocks=blocks, seed=len(blocks))
    networks = [CompiledGcnn(native, folded(content), level=level) for level in LEVELS]
    functions = load_state_functions([block.name for block in blocks])
    policy = GcnnPolicy(content, name="noise")

    def look(model):
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
@pytest.mark.parametrize("hidden", [1, 7, 16, 32, 48, 64, 100])
def test_every_width_of_a_network_is_scored(hidden, sums, states):
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
        *[(10_000, 2_000, 30_000, 1), (10_000, 50, 20_000, 3_000)],
    ],
)
@pytest.mark.parametrize("sums", GCNN_SUMS)
def test_any_size_is_scored(n, m, n_edges, k, sums):
    state = random_state(np.random.default_rng(n + k), n, m, n_edges, k)
    content = noise(hidden=32, seed=1, sums=sums)
    expected = textbook_scores(content, state)
    none = np.empty((k, 0), dtype=np.float32)
    for level in LEVELS:
        found = CompiledGcnn(native, folded(content), level=level).score(state, none)
        # relative to the largest sums: here they come to thousands, and cancel
        assert (np.abs(found - expected) <= 1e-5 * max(1, np.abs(expected).max(initial=0))).all()


@pytest.mark.parametrize("sums", GCNN_SUMS)
def test_a_network_scores_states_of_changing_sizes_as_if_each_were_the_first(sums):
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
def test_a_whole_decision_is_extraction_scores_and_choice(name, blocks, sums):
    content = network_content(blocks=blocks, seed=7, sums=sums)
    networks = [CompiledGcnn(native, folded(content), level=level) for level in LEVELS]
    functions = load_state_functions([block.name for block in blocks])
    policy = GcnnPolicy(content, name="noise")

    def look(model):
        state = extract_state(model, state_functions=functions)
        scores = policy.score(state)
        best = best_candidate(scores, state.candidates)
        for network in networks:
            candidates, found, chosen = network.judge(model)
            assert np.array_equal(candidates, state.candidates)
            assert close(found, scores)
            assert chosen == best

    at_nodes(MODELS[name](), look)


def test_of_tied_scores_the_lowest_column_wins_in_native_code_too():
    content = noise(hidden=16)
    content.tensors["head.2.weight"][:] = 0.0  # all scores are 0

    def look(model):
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
FAMILIES = CombinatorialAuction(n_items=50, n_bids=150), SetCover(
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


@pytest.mark.parametrize("blocks", [(), (PSEUDOCOST,), (TREE,)], ids=str)
def test_trees_are_the_same_without_native_code_and_at_every_level(blocks, tmp_path):
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


def overflowing(**options):
    """A network whose scores overflow float32."""
    content = noise(**options)
    content.tensors["head.0.weight"][:] = 3e38
    content.tensors["head.2.weight"][:] = 3e38
    return content


@pytest.mark.parametrize("blocks", [(), (PSEUDOCOST,)], ids=str)
def test_scores_that_are_not_finite_are_the_policys_error(blocks):
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


def test_a_policy_is_used_by_several_models_at_once():
    policy = GcnnPolicy(noise(hidden=16), name="shared")
    found = {}

    def run(seed):
        model = quiet(CombinatorialAuction(n_items=50, n_bids=150).generate(seed=seed))
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


def test_a_policy_can_be_copied_and_sent_to_another_process(states):
    policy = GcnnPolicy(noise(), name="noise")
    state = states["auction"][0]
    scores = policy.score(state)
    for other in (copy.deepcopy(policy), pickle.loads(pickle.dumps(policy))):
        assert np.array_equal(other.score(state), scores)


# What is wrong


GOOD = random_state(np.random.default_rng(0), 6, 4, 12, 3)
NETWORK = native.Network(16, 0, False, TIE_TOLERANCE, folded(noise()).tensors) if native else None
NAMES = ("variable_features", "row_features", "edge_index", "edge_features", "candidates")


def arguments(**changes):
    arrays = {name: getattr(GOOD, name) for name in NAMES}
    arrays |= {"blocks": np.empty((3, 0), np.float32), "out": np.empty(3, np.float32)}
    return list((arrays | changes).values())


def with_value(array, value):
    array = array.copy()
    array.flat[-1] = value
    return array


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


BAD = {
    "another type": (TypeError, {"variable_features": GOOD.variable_features.astype(np.float64)}),
    "long indices": (TypeError, {"edge_index": GOOD.edge_index.astype(np.int64)}),
    "unsigned indices": (TypeError, {"candidates": GOOD.candidates.astype(np.uint32)}),
    "swapped bytes": (TypeError, {"edge_features": GOOD.edge_features.astype(">f4")}),
    "objects": (TypeError, {"row_features": GOOD.row_features.astype(object)}),
    "a list": (TypeError, {"row_features": GOOD.row_features.tolist()}),
    "None": (TypeError, {"blocks": None}),
    "bytes": (TypeError, {"edge_features": GOOD.edge_features.tobytes()}),
    "too few columns": (ValueError, {"variable_features": GOOD.variable_features[:, :18].copy()}),
    "a vector": (ValueError, {"row_features": GOOD.row_features.ravel()}),
    "a matrix": (ValueError, {"edge_features": GOOD.edge_features[None]}),
    "three ends": (ValueError, {"edge_index": np.vstack((GOOD.edge_index, GOOD.edge_index[:1]))}),
    "too few values": (ValueError, {"edge_features": GOOD.edge_features[:-1].copy()}),
    "gaps": (ValueError, {"edge_features": np.repeat(GOOD.edge_features, 2)[::2]}),
    "Fortran's order": (
        ValueError,
        {"variable_features": np.asfortranarray(GOOD.variable_features)},
    ),
    "backwards": (ValueError, {"candidates": GOOD.candidates[::-1]}),
    "block columns": (ValueError, {"blocks": np.zeros((3, 2), np.float32)}),
    "block lines": (ValueError, {"blocks": np.zeros((4, 0), np.float32)}),
    "a short output": (ValueError, {"out": np.empty(2, np.float32)}),
    "a read-only output": (TypeError, {"out": read_only(np.empty(3, np.float32))}),
    "a row too far": (ValueError, {"edge_index": with_value(GOOD.edge_index.T, 6).T.copy()}),
    "a column too far": (ValueError, {"edge_index": with_value(GOOD.edge_index, 6)}),
    "a negative end": (ValueError, {"edge_index": with_value(GOOD.edge_index, -1)}),
    "a candidate too far": (ValueError, {"candidates": with_value(GOOD.candidates, 6)}),
    "a negative candidate": (ValueError, {"candidates": with_value(GOOD.candidates, -(2**31))}),
    "a candidate twice": (ValueError, {"candidates": np.array([1, 2, 1], np.int32)}),
    "NaN": (ValueError, {"variable_features": with_value(GOOD.variable_features, np.nan)}),
    "infinity": (ValueError, {"row_features": with_value(GOOD.row_features, np.inf)}),
    "a NaN edge": (ValueError, {"edge_features": with_value(GOOD.edge_features, np.nan)}),
    "no columns": (ValueError, {"variable_features": np.empty((0, 19), np.float32)}),
    "no rows": (ValueError, {"row_features": np.empty((0, 5), np.float32)}),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_arrays_are_an_error_that_names_them(what):
    kind, changes = BAD[what]
    (name,) = changes
    named = name if what not in ("no columns", "no rows") else "edge_index"
    with pytest.raises(kind, match=named):
        NETWORK.score(*arguments(**changes))


def test_read_only_inputs_are_read():
    inputs = {name: read_only(getattr(GOOD, name)) for name in NAMES}
    out, again = np.empty(3, np.float32), np.empty(3, np.float32)
    NETWORK.score(*arguments(out=out))
    NETWORK.score(*arguments(**inputs, out=again))
    assert np.array_equal(out, again)


@pytest.mark.parametrize("wrong", ["nan", "range", "twice"])
def test_a_policy_refuses_a_state_that_is_none_alike_on_both_paths(wrong, monkeypatch):
    import dataclasses

    state = dataclasses.replace(
        GOOD,
        **{
            "nan": {"row_features": with_value(GOOD.row_features, np.nan)},
            "range": {"edge_index": with_value(GOOD.edge_index, -1)},
            "twice": {"candidates": np.array([1, 2, 1], np.int32)},
        }[wrong],
    )
    policy = GcnnPolicy(noise(), name="noise")
    with pytest.raises(PolicyError, match="'noise' cannot score this"):
        policy.score(state)
    monkeypatch.setattr(GcnnPolicy, "compiled", lambda self: None)
    with pytest.raises(PolicyError, match="'noise' cannot score this"):
        policy.score(state)


def some_array(draw):
    """An array that may be anything."""
    dtype = draw(st.sampled_from(["f4", "f8", "i4", "i8", "u1", ">f4", "?", "O", "c8"]))
    shape = draw(st.lists(st.integers(0, 5), min_size=0, max_size=3))
    array = np.zeros(shape, dtype=dtype)
    if array.size and dtype in ("f4", "i4"):
        values = st.integers(-3, 8) if dtype == "i4" else st.floats(width=32)
        array.flat[:] = draw(st.lists(values, min_size=array.size, max_size=array.size))
    if draw(st.booleans()):
        array = array.T
    if array.ndim and draw(st.booleans()):
        array = array[:: draw(st.sampled_from([2, -1]))]
    return array


@st.composite
def fuzzed_arguments(draw):
    """Arguments of `score`, some of them wrong."""
    n, m, e, k = (draw(st.integers(0, 6)) for _ in range(4))
    floats = st.floats(-1e3, 1e3, width=32) | st.sampled_from([np.nan, np.inf, 3e38, 1e-40])

    def numbers(*shape):
        size = int(np.prod(shape))
        value = draw(floats) if draw(st.integers(0, 9)) == 0 else 0.5
        array = np.full(shape, 0.5, np.float32)
        if size:
            array.flat[draw(st.integers(0, size - 1))] = value
        return array

    def positions(*shape, end):
        high = end if draw(st.integers(0, 9)) == 0 else max(0, end - 1)
        low = -1 if draw(st.integers(0, 9)) == 0 else 0
        size = int(np.prod(shape))
        drawn = draw(st.lists(st.integers(low, max(low, high)), min_size=size, max_size=size))
        return np.array(drawn, dtype=np.int32).reshape(shape)

    found = [
        numbers(n, 19),
        numbers(m, 5),
        np.vstack((positions(e, end=m), positions(e, end=n))),
        numbers(e),
        np.unique(positions(k, end=n)) if draw(st.booleans()) else positions(k, end=n),
    ]
    k = len(found[4])
    found += [np.empty((k, 0), np.float32), np.empty(k, np.float32)]
    if draw(st.booleans()):
        found[draw(st.integers(0, 6))] = some_array(draw)
    return found


@settings(max_examples=500)
@given(found=fuzzed_arguments())
def test_fuzzed_arrays_are_scored_or_refused(found):
    try:
        NETWORK.score(*found)
    except (TypeError, ValueError):
        return
    assert found[-1].shape == found[4].shape


@settings(max_examples=200)
@given(
    hidden=st.integers(-5, 40),
    n_blocks=st.integers(-3, 5),
    tolerance=st.floats(),
    count=st.integers(0, 33),
    level=st.none() | st.sampled_from(["baseline", "avx2", "", "sse9"]),
    swap=st.integers(0, 30),
)
def test_a_network_of_wrong_tensors_is_refused(hidden, n_blocks, tolerance, count, level, swap):
    tensors = list(folded(noise(hidden=8)).tensors)[:count]
    is_right = (hidden, n_blocks, count >= 31) == (8, 0, True) and 0 <= tolerance < 1
    if swap < len(tensors):
        tensors[swap] = tensors[swap].T.astype(np.float64)
        is_right = False
    if not is_right:
        with pytest.raises((TypeError, ValueError)):
            native.Network(hidden, n_blocks, False, tolerance, tuple(tensors), level)


def test_a_decision_where_there_is_none_to_take_is_an_error():
    model = pyscipopt.Model()
    with pytest.raises(native.ScipError, match="no LP solved"):
        NETWORK.decide(model.to_ptr(False))
    with pytest.raises(TypeError, match="capsule"):
        NETWORK.judge(model)
    blocks = native.Network(8, 2, False, 1e-5, folded(noise(hidden=8, blocks=(TWO,))).tensors)
    with pytest.raises(ValueError, match="pseudocosts"):
        blocks.decide(model.to_ptr(False))


from milplib.scip import BlockSchema  # noqa: E402

TWO = BlockSchema("two", 1, ("a", "b"))


def test_weights_whose_products_overflow_are_refused():
    content = noise()
    content.tensors["row_norm.scale"][:] = 1e30
    content.tensors["row_embedding.0.weight"][:] = 1e30
    with pytest.raises(PolicyError, match="not finite in float32"):
        GcnnPolicy(content, name="huge")


# Memory


def resident_mib():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


needs_proc = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")


@needs_proc
def test_10000_decisions_do_not_grow_memory():
    network = CompiledGcnn(native, folded(noise(hidden=16, blocks=(PSEUDOCOST,))))
    growth = []

    def judge_often(model):
        def rounds(n):
            for _ in range(n):
                network.judge(model)
            gc.collect()
            return resident_mib()

        before = rounds(500)
        growth.append(rounds(10_000) - before)

    at_nodes(MODELS["auction"](), judge_often, count=1)
    assert growth[0] < 4  # 400 bytes a decision


@needs_proc
def test_networks_and_scores_do_not_grow_memory():
    tensors = folded(noise(hidden=64)).tensors

    def rounds(n):
        for _ in range(n):
            network = native.Network(64, 0, False, TIE_TOLERANCE, tensors)
            network.score(*arguments())
            with pytest.raises(ValueError, match="expected"):
                native.Network(63, 0, False, TIE_TOLERANCE, tensors)
            with pytest.raises(TypeError):
                network.score(*arguments(edge_features=None))
        gc.collect()
        return resident_mib()

    before = rounds(20)
    assert rounds(400) - before < 8  # a network has 0.4 MiB


@needs_proc
@pytest.mark.nightly
def test_500_solves_in_one_process_do_not_grow_memory():
    policy = GcnnPolicy(noise(hidden=16), name="noise")
    instance = CombinatorialAuction(n_items=30, n_bids=90).generate(seed=1)
    calls = []

    def rounds(n):
        for seed in range(n):
            model = quiet(instance)
            model.setParam("randomization/randomseedshift", seed)
            model.setParam("separating/maxroundsroot", 0)
            use = milplib.include_policy(model, policy, on_error="raise")
            model.optimize()
            calls.append(use.calls)
            del model
            if seed % 10 == 9:
                gc.collect()  # a model and its rule are a cycle
        return resident_mib()

    before = rounds(100)
    assert rounds(500) - before < 25  # 50 KiB a solve
    assert sum(calls) > 1000
