"""Traces: they are bounded in size, and watching changes nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from narrowing import instance_from

from milplib.generators import SetCover
from milplib.scip import trace as module
from milplib.scip.settings import apply_setting
from milplib.solving import solve

COVER = SetCover(n_rows=100, n_columns=200, density=0.08).generate(seed=1)


def test_watching_changes_nothing() -> None:
    watched = solve(COVER, setting="learn2branch")
    model = COVER.to_scip()
    model.hideOutput()
    apply_setting(model, "learn2branch", seed=0)
    model.optimize()
    assert (watched.nodes, watched.lp_iterations) == (
        model.getNTotalNodes(),
        model.getNLPIterations(),
    )


def test_a_long_trace_is_thinned_and_keeps_true_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = solve(COVER, setting="learn2branch").trace
    monkeypatch.setattr(module, "MAX_POINTS", 3)
    short = solve(COVER, setting="learn2branch").trace
    assert len(short) <= 2 * 3 + 2 < len(whole)

    def bounds(trace: Any) -> Any:
        return {(round(p, 9), round(d, 9)) for _, p, d in trace.points() if p == p and d == d}

    assert bounds(short) <= bounds(whole)
    assert short.points()[-1][1:] == whole.points()[-1][1:]


def test_an_infeasible_instance_has_no_primal_bound() -> None:
    instance = instance_from(
        objective=[1.0, 1.0],
        A=np.array([[2.0, 2.0]]),
        row_lower=[1.0],
        row_upper=[1.0],
        lower=[0, 0],
        upper=[5, 5],
        integrality=[1, 1],
    )
    result = solve(instance)
    assert result.status == "infeasible"
    assert len(result.trace) >= 1
    assert np.isnan(result.trace.primal).all()


def test_a_cut_off_is_no_solution() -> None:
    best = solve(COVER).objective
    result = solve(COVER, setting="clean", reference_objective=best)
    trace = result.trace
    # The cut-off is known from the beginning on, but a solution is not.
    assert np.isnan(trace.primal[0])
    assert trace.primal[-1] == best
