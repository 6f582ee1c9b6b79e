"""Faults planted in a table as real as runs are: each is named, and none makes a policy better."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import pytest
from narrowing import present

from milplib.evaluation import ALL, Summary

from .faulty import MEANS, POLICIES, row_of, texts


def run_of(rows: list[dict[str, Any]], policy: str, instance: str, seed: int) -> dict[str, Any]:
    (found,) = (
        row
        for row in rows
        if (row["policy"], row["instance"], row["seed"]) == (policy, instance, seed)
    )
    return found


def never_better(
    before: Summary, after: Summary, policy: str, distribution: str, names: tuple[Any, ...] = MEANS
) -> bool:
    """Whether no mean of a policy and no ratio to the baseline came nearer to zero."""
    old, new = (row_of(summary, policy, distribution) for summary in (before, after))
    pairs = [(getattr(old, name), getattr(new, name)) for name in names]
    pairs.append(
        (present(old.against_baseline).time.value, present(new.against_baseline).time.value)
    )
    pairs += [
        tuple(getattr(summary.matrix, table)[policy].value for summary in (before, after))
        for table in ("balanced", "pooled")
    ]
    assert all(old_value > 0 for old_value, _ in pairs)
    return not any(new_value < old_value - 1e-12 for old_value, new_value in pairs)


def test_a_table_without_faults_has_no_findings(
    rows: list[dict[str, Any]], judge: Callable[..., Any]
) -> None:
    summary = judge(rows)
    assert summary.findings == ()
    assert summary.failures == ()
    assert row_of(summary, "mine", ALL).integral_runs == 48


@pytest.mark.parametrize("kind", ["crash", "policy error", "timelimit", "wrong solution"])
def test_a_failed_run_counts_as_its_limit(
    kind: str, rows: list[dict[str, Any]], judge: Callable[..., Any]
) -> None:
    before = judge(rows)
    run = run_of(rows, "mine", "sc/3.lp", 1)
    run |= {"failure": kind, "status": "died", "time": 0.001, "objective": None}
    if kind != "wrong solution":
        run |= {"nodes": None, "fair_nodes": None, "lp_iterations": None, "trace": None}
    after = judge(rows)
    (failure,) = after.failures
    assert (failure.policy, failure.instance, failure.kind) == ("mine", "sc/3.lp", kind)
    for distribution in (ALL, "sc"):
        assert never_better(before, after, "mine", distribution, ("time", "par10"))
        new = row_of(after, "mine", distribution)
        assert new.time > row_of(before, "mine", distribution).time
        assert new.primal_integral > row_of(before, "mine", distribution).primal_integral
        assert new.solved == new.runs - 1
    # The others' means are about the same runs as before.
    for policy in ("other", "base"):
        assert row_of(after, policy, ALL).time == row_of(before, policy, ALL).time
    # Nodes and iterations of a crash are not known, so its pair says nothing about anybody's.
    without = copy.deepcopy(rows)
    for policy in POLICIES:
        without.remove(run_of(without, policy, "sc/3.lp", 1))
    expected_summary = judge(without)
    for policy in POLICIES:
        found, expected = (row_of(summary, policy, ALL) for summary in (after, expected_summary))
        assert found.nodes == pytest.approx(expected.nodes, abs=1e-9)
        if kind != "wrong solution":
            assert found.lp_iterations == pytest.approx(expected.lp_iterations, abs=1e-9)


def test_a_mismatch_of_objectives_is_an_error_and_moves_nothing(
    rows: list[dict[str, Any]], judge: Callable[..., Any]
) -> None:
    before = judge(rows)
    run_of(rows, "mine", "ca/2.lp", 0)["objective"] = 4.9
    after = judge(rows)
    (error,) = after.errors
    assert "contradiction on ca/2.lp" in error
    assert "mine (seed 0) says optimal with objective 4.9" in error
    assert never_better(before, after, "mine", ALL)


def test_a_leaked_instance_is_an_error_and_its_runs_prove_nothing(
    rows: list[dict[str, Any]], judge: Callable[..., Any]
) -> None:
    before = judge(rows)
    for seed in range(3):
        run = run_of(rows, "mine", "ca/4.lp", seed)
        run |= {"seen_in": "training", "time": run["time"] / 100}  # learned by heart
    after = judge(rows)
    (error,) = after.errors
    assert "leak: ca/4.lp is among the training instances of mine" in error
    assert row_of(after, "mine", "ca").failures == {"leak": 3}
    assert never_better(before, after, "mine", ALL, ("time", "par10", "primal_integral"))
    assert never_better(before, after, "mine", "ca", ("time", "par10", "primal_integral"))
    assert row_of(after, "mine", "ca").wins <= row_of(before, "mine", "ca").wins


def test_every_leaked_instance_is_named(
    rows: list[dict[str, Any]], judge: Callable[..., Any]
) -> None:
    for row in rows:
        if row["policy"] == "mine" and row["instance"] in ("ca/1.lp", "sc/5.lp"):
            row["seen_in"] = "validation"
    errors = " ".join(judge(rows).errors)
    assert "ca/1.lp is among the validation instances of mine" in errors
    assert "sc/5.lp is among the validation instances of mine" in errors


@pytest.mark.parametrize("lacking", ["mine", "base"])
def test_an_unpaired_run_is_named_and_its_pair_left_out(
    lacking: str, rows: list[dict[str, Any]], judge: Callable[..., Any]
) -> None:
    without_pair = [r for r in rows if (r["instance"], r["seed"]) != ("sc/0.lp", 2)]
    rows.remove(run_of(rows, lacking, "sc/0.lp", 2))
    found, expected = judge(rows, expected_runs=144), judge(without_pair)
    (note,) = texts(found)
    assert f"unpaired: {lacking} lacks runs that others have, on sc/0.lp with seed 2" in note
    assert not found.is_complete
    for policy in POLICIES:
        for name in MEANS:
            value = getattr(row_of(expected, policy, ALL), name)
            assert getattr(row_of(found, policy, ALL), name) == pytest.approx(value, abs=1e-9)
    ratio = row_of(found, "mine", ALL).against_baseline
    assert ratio == row_of(expected, "mine", ALL).against_baseline
    for name in ("balanced", "pooled"):
        one, other = (getattr(summary.matrix, name)["mine"] for summary in (found, expected))
        assert one == other


def test_a_run_with_a_seed_that_nobody_else_has_changes_no_mean(
    rows: list[dict[str, Any]], planted_run: Callable[..., Any], judge: Callable[..., Any]
) -> None:
    before = judge(rows)
    rows.append(planted_run("mine", "sc/0.lp", 99, time=0.01, nodes=1, trace=None))
    after = judge(rows)
    assert sum("unpaired" in text and "seed 99" in text for text in texts(after)) == 2
    for policy in ("mine", "other"):
        assert never_better(before, after, policy, ALL)
        assert row_of(after, policy, ALL).time == row_of(before, policy, ALL).time
    assert row_of(after, "mine", ALL).wins == row_of(before, "mine", ALL).wins


def test_an_empty_cell_is_named_and_leaves_no_mean_over_all_distributions(
    rows: list[dict[str, Any]], judge: Callable[..., Any]
) -> None:
    before = judge(rows)
    after = judge([r for r in rows if (r["policy"], r["distribution"]) != ("mine", "sc")])
    (note,) = texts(after)
    assert "empty cell: mine has no run on sc" in note
    assert after.matrix.empty == (("mine", "sc"),)
    assert math.isnan(row_of(after, "mine", "sc").time)
    gone = row_of(after, "mine", ALL)
    for name in MEANS:  # without the slow family they would be smaller
        assert math.isnan(getattr(gone, name))
    assert math.isnan(present(gone.against_baseline).time.value)
    assert math.isnan(after.virtual_best[ALL].ratios["mine"].time.value)
    assert [t.instances for t in after.tests if (t.policy, t.distribution) == ("mine", ALL)] == [0]
    # What is there counts, and the others have all of theirs.
    assert row_of(after, "mine", "ca").time == row_of(before, "mine", "ca").time
    assert row_of(after, "other", ALL).time == row_of(before, "other", ALL).time
    assert never_better(before, after, "other", ALL)


def test_a_policy_without_any_run_is_named_and_takes_nothing_from_the_others(
    rows: list[dict[str, Any]], judge: Callable[..., Any]
) -> None:
    before = judge(rows)
    after = judge([r for r in rows if r["policy"] != "mine"])
    assert sum("empty cell: mine has no run" in text for text in texts(after)) == 2
    assert math.isnan(row_of(after, "mine", ALL).time)
    assert row_of(after, "other", ALL).time == row_of(before, "other", ALL).time


def test_all_faults_at_once_are_all_named(
    rows: list[dict[str, Any]], judge: Callable[..., Any]
) -> None:
    run_of(rows, "mine", "sc/3.lp", 1).update(failure="crash", status="died", objective=None)
    run_of(rows, "other", "ca/2.lp", 0)["objective"] = 4.0
    run_of(rows, "mine", "ca/4.lp", 0)["seen_in"] = "training"
    run_of(rows, "mine", "ca/5.lp", 0)["policy_hash"] = "one"
    run_of(rows, "mine", "ca/6.lp", 0)["policy_hash"] = "another"
    run_of(rows, "base", "ca/7.lp", 0)["host"] = "there"
    rows.remove(run_of(rows, "mine", "ca/0.lp", 2))
    rows = [r for r in rows if (r["policy"], r["distribution"]) != ("other", "sc")]
    summary = judge(rows)
    text = "\n".join(texts(summary))
    for words in (
        "contradiction on ca/2.lp",
        "leak: ca/4.lp",
        "unpaired: mine lacks runs that others have, on ca/0.lp with seed 2",
        "empty cell: other has no run on sc",
        "the runs of mine are of 2 different policy files",
        "several machines: here, there",
    ):
        assert words in text
    assert {failure.kind for failure in summary.failures} == {"crash", "leak"}
    assert len(summary.errors) == 3
