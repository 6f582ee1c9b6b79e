"""The native network keeps no memory."""

from __future__ import annotations

import gc
import resource
from pathlib import Path
from typing import Any

import pytest

import milplib
from milplib.generators import CombinatorialAuction
from milplib.policies import GcnnPolicy
from milplib.policies.choice import TIE_TOLERANCE
from milplib.policies.compiled import CompiledGcnn

from .conftest import PSEUDOCOST, noise
from .native_network import MODELS, arguments, at_nodes, folded, native
from .plugged import quiet

# Memory


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


needs_proc = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")


@needs_proc
def test_10000_decisions_do_not_grow_memory() -> None:
    network = CompiledGcnn(native, folded(noise(hidden=16, blocks=(PSEUDOCOST,))))
    growth = []

    def judge_often(model: Any) -> None:
        def rounds(n: Any) -> Any:
            for _ in range(n):
                network.judge(model)
            gc.collect()
            return resident_mib()

        before = rounds(500)
        growth.append(rounds(10_000) - before)

    at_nodes(MODELS["auction"](), judge_often, count=1)
    assert growth[0] < 4  # 400 bytes a decision


@needs_proc
def test_networks_and_scores_do_not_grow_memory() -> None:
    tensors = folded(noise(hidden=64)).tensors

    def rounds(n: Any) -> Any:
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
def test_500_solves_in_one_process_do_not_grow_memory() -> None:
    policy = GcnnPolicy(noise(hidden=16), name="noise")
    instance = CombinatorialAuction(n_items=30, n_bids=90).generate(seed=1)
    calls = []

    def rounds(n: Any) -> Any:
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
