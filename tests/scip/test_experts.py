"""Experts by name: each gives what it promises, and the default is the full one."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pyscipopt import SCIP_RESULT
from slow_parameters import slow

from milplib import Instance
from milplib.errors import ParameterError, StateError, UnknownNameError
from milplib.generators import CombinatorialAuction, IndependentSet
from milplib.scip import (
    EXPERTS,
    FullStrongBranching,
    LimitedStrongBranching,
    Screening,
    StrongBranchingResult,
    apply_setting,
    branching_candidates,
    load_expert,
    strong_branching,
)
from milplib.scip.experts import ask_expert, resolved_name
from milplib.scip.rule import GuardedRule

AUCTION = CombinatorialAuction(n_items=40, n_bids=150)
# The objective of a stopped LP may exceed that of the solved one by SoPlex's tolerance.
LOOSE = 1 + 1e-6


class AskAll(GuardedRule):
    """Ask experts at every node and look at what they say; follow the first one."""

    def __init__(self, experts: Any, look: Any, *, nodes: Any = math.inf) -> None:
        super().__init__()
        self.experts, self.look, self.nodes = experts, look, nodes
        self.seen = 0

    def decide(self) -> Any:
        candidates = branching_candidates(self.model)
        if self.seen >= self.nodes:
            self.model.interruptSolve()
            return SCIP_RESULT.DIDNOTRUN
        self.seen += 1
        results = [ask_expert(expert, self.model, candidates) for expert in self.experts]
        self.look(self.model, candidates, *results)
        if results[0].cutoff:
            return SCIP_RESULT.CUTOFF
        self.model.branchVar(candidates[results[0].best])
        return SCIP_RESULT.BRANCHED


def solve(rule: Any, instance: Instance, *, setting: str = "default") -> Any:
    model = instance.to_scip()
    model.hideOutput()
    apply_setting(model, setting, seed=1)
    rule.include(model, "ask")
    model.optimize()
    return model


def look_at(names: Any, look: Any, *, nodes: int = 4) -> None:
    """Look at what full strong branching and the named experts say at some nodes."""
    experts = [load_expert(name) for name in ("full", *names)]
    rule = AskAll(experts, look, nodes=nodes)
    solve(rule, AUCTION.generate(seed=1), setting="learn2branch")
    assert rule.seen >= nodes


def pseudocost_order(model: Any, candidates: Any) -> Any:
    scores = np.array([model.getVarPseudocostScore(v, v.getLPSol()) for v in candidates])
    return np.argsort(-scores, kind="stable")


def test_the_default_expert_is_full_strong_branching() -> None:
    def look(model: Any, candidates: Any, full: Any) -> None:
        again = strong_branching(model, candidates)
        np.testing.assert_allclose(full.scores, again.scores, rtol=1e-9)
        assert full.best == again.best

    assert load_expert("full") == FullStrongBranching()
    look_at([], look)


@pytest.mark.slow
def test_limits_that_limit_nothing_give_the_full_scores_and_choice() -> None:
    def look(model: Any, candidates: Any, full: Any, *others: Any) -> None:
        for other in others:
            assert other.valid.all()
            np.testing.assert_allclose(other.scores, full.scores, rtol=1e-9)
            assert other.best == full.best
            assert other.cutoff == full.cutoff

    look_at(
        [
            "iterations:1000000",
            "shortlist:1000",
            "lookahead:1000",
            "screen:1000000/1",  # all are solved to the end while they are screened
            "screen:1/1000",  # there are too few to screen
        ],
        look,
    )


def test_a_shortlist_scores_the_best_pseudocosts_and_leaves_the_others_without_a_score() -> None:
    def look(model: Any, candidates: Any, full: Any, listed: Any) -> None:
        chosen = np.sort(pseudocost_order(model, candidates)[:4])
        assert chosen.tolist() == np.flatnonzero(listed.valid).tolist()
        assert not listed.scores[~listed.valid].any()
        np.testing.assert_allclose(listed.scores[chosen], full.scores[chosen], rtol=1e-9)
        assert listed.scores[listed.best] == listed.scores.max()

    look_at(["shortlist:4"], look)


def test_a_stopped_lp_gives_a_lower_bound_and_cuts_nothing_off() -> None:
    lower = []

    def look(model: Any, candidates: Any, full: Any, stopped: Any) -> None:
        assert stopped.valid.all()
        assert (stopped.scores <= LOOSE * full.scores).all()
        lower.append((stopped.scores < full.scores).any())
        assert not stopped.cutoff or full.cutoff

    look_at(["iterations:5"], look)
    assert any(lower)


def test_screening_solves_the_most_promising_to_the_end_and_bounds_the_others() -> None:
    saved = []

    def look(model: Any, candidates: Any, full: Any, screened: Any, stopped: Any) -> None:
        assert screened.valid.all()
        assert (screened.scores <= LOOSE * full.scores).all()
        kept = np.argsort(-stopped.scores, kind="stable")[:3]
        np.testing.assert_allclose(screened.scores[kept], full.scores[kept], rtol=1e-9)
        others = np.setdiff1d(np.arange(len(candidates)), kept)
        np.testing.assert_allclose(screened.scores[others], stopped.scores[others], rtol=1e-9)
        assert screened.best in kept
        assert screened.scores[screened.best] == screened.scores[kept].max()
        saved.append((screened.scores[others] < full.scores[others]).any())

    look_at(["screen:10/3", "iterations:10"], look)
    assert any(saved)


def test_a_lookahead_ends_after_so_many_candidates_without_a_better_score() -> None:
    ended = []

    def look(model: Any, candidates: Any, full: Any, looked: Any) -> None:
        order = pseudocost_order(model, candidates)
        best, without_better, expected = -np.inf, 0, []
        for position in order:
            expected.append(position)
            without_better = 0 if full.scores[position] > best else without_better + 1
            best = max(best, full.scores[position])
            if without_better == 2:
                break
        assert sorted(expected) == np.flatnonzero(looked.valid).tolist()
        ended.append(len(expected) < len(candidates))

    look_at(["lookahead:2"], look)
    assert any(ended)


def test_limits_work_one_after_the_other() -> None:
    def look(model: Any, candidates: Any, full: Any, result: Any) -> None:
        assert result.valid.sum() == min(6, len(candidates))
        assert (result.scores <= LOOSE * full.scores).all()
        assert result.valid[result.best]

    look_at(["shortlist:6+screen:5/3+lookahead:1+iterations:50"], look)


@pytest.mark.parametrize(
    "name", ["fast", *map(slow, ("shortlist:2", "iterations:3", "screen:2/1+lookahead:1"))]
)
def test_a_solve_with_a_limited_expert_finds_the_optimum(name: str) -> None:
    instance = IndependentSet(
        n_nodes=60, graph="erdos_renyi", edge_probability=0.2
    ).generate(seed=2)  # fmt: skip
    plain = instance.to_scip()
    plain.hideOutput()
    plain.optimize()
    rule = AskAll([load_expert(name)], lambda *arguments: None)
    model = solve(rule, instance, setting="learn2branch")
    assert rule.seen > 3
    assert model.getStatus() == "optimal"
    assert model.getObjVal() == pytest.approx(plain.getObjVal())


@pytest.mark.parametrize(
    "expert",
    [
        LimitedStrongBranching(shortlist=3),
        LimitedStrongBranching(iterations=50, lookahead=8),
        LimitedStrongBranching(
            shortlist=9, screening=Screening(iterations=5, keep=2), lookahead=1, iterations=70
        ),
        *EXPERTS.values(),
    ],
)
def test_a_name_says_all_of_an_expert(expert: Any) -> None:
    assert load_expert(expert.name) == expert
    assert resolved_name(expert.name) == expert.name


def test_a_plain_name_is_resolved_to_what_it_stands_for() -> None:
    assert resolved_name("fast") == EXPERTS["fast"].name
    assert resolved_name("fast") not in EXPERTS
    assert resolved_name(f"{__name__}:Mine") == f"{__name__}:Mine"


@pytest.mark.parametrize(
    "name",
    ["", "fulll", "shortlist", "shortlist:", "shortlist:-3", "shortlist:ten", "shortlist:1.5",
     "screen:20", "screen:20/", "iterations:5+shortlist:5", "shortlist:5+", "+shortlist:5",
     "shortlist:5shortlist:5", "shortlist:5+shortlist:5", "full+iterations:5", "shortlist:٣",
     "shortlist:" + "9" * 400, "x:y z"],
)  # fmt: skip
def test_an_unknown_name_lists_what_there_is(name: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        load_expert(name)
    for known in ("full", "fast", "shortlist:N", "screen:", "lookahead:N", "iterations:N"):
        assert known in str(caught.value)
    assert "package.module:Name" in str(caught.value)


@pytest.mark.parametrize(
    "name", ["shortlist:0", "screen:0/5", "screen:5/0", "iterations:9999999999"]
)
def test_a_limit_out_of_range_is_refused_with_its_range(name: str) -> None:
    with pytest.raises(ParameterError, match="from 1 to"):
        load_expert(name)
    with pytest.raises(ParameterError, match="without limits"):
        LimitedStrongBranching()
    with pytest.raises(ParameterError, match="above the 20 of the screening"):
        load_expert("screen:20/8+iterations:20")


class Mine:
    """An expert of a user's own."""

    name = "mine"

    def label(self, model: Any, candidates: Any) -> Any:
        return strong_branching(model, candidates)


NO_EXPERT = object()


def test_an_expert_of_a_users_own_is_named_by_its_module() -> None:
    assert isinstance(load_expert(f"{__name__}:Mine"), Mine)
    with pytest.raises(ParameterError, match="not an expert"):
        load_expert(f"{__name__}:NO_EXPERT")
    with pytest.raises(ParameterError, match="cannot be made"):
        load_expert("no_such_module:Mine")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"scores": np.zeros(1)}, "shapes"),
        ({"scores": np.full(3, np.nan)}, "not finite"),
        ({"scores": np.zeros(3, dtype=np.float32)}, "float32"),
        ({"valid": np.array([True, False, True]), "best": 1}, "no score"),
        ({"best": 3}, "no score"),
    ],
)
def test_an_expert_that_breaks_its_promise_is_named(change: dict[str, Any], complaint: str) -> None:
    result = replace(RESULT, **change)
    nobody: Any = None
    with pytest.raises(StateError, match=f"'broken'.*{complaint}"):
        ask_expert(Broken(result), nobody, [nobody] * 3)
    with pytest.raises(StateError, match="gave list"):
        ask_expert(Broken([1.0]), nobody, [nobody] * 3)


class Broken:
    name = "broken"

    def __init__(self, result: Any) -> None:
        self.result = result

    def label(self, model: Any, candidates: Any) -> Any:
        return self.result


RESULT = StrongBranchingResult(
    scores=np.arange(3.0), valid=np.ones(3, dtype=bool), best=2, cutoff=False, iterations=0
)
