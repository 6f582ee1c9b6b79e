"""What a table comes to: nothing that goes wrong makes a policy look better."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from narrowing import present

from milplib.evaluation import ALL, Failure, PolicySummary, Summary
from milplib.evaluation.table import NOT_RUN

INSTANCES = [f"ca/{number}.lp" for number in range(4)]
FAILURES = ["timelimit", "memlimit", "crash", "policy error", "numerical", "unreadable"]


@pytest.fixture
def rows(planted_run: Any) -> list[dict[str, Any]]:
    """Policy 'mine' takes 2 s and 30 nodes, 'base' 5 s and 90, on every instance and seed."""
    return [
        planted_run(policy, instance, seed, time=time, nodes=nodes, fair_nodes=2 * nodes)
        for instance in INSTANCES
        for seed in (0, 1)
        for policy, time, nodes in (("mine", 2.0, 30), ("base", 5.0, 90))
    ]


def only(summary: Summary, policy: str) -> PolicySummary:
    (row,) = (row for row in summary.rows if row.policy == policy)
    return row


def test_the_means_and_ratios_are_those_of_the_hand_computation(
    rows: list[dict[str, Any]], planted_results: Callable[..., Any]
) -> None:
    summary = planted_results(rows).summary()
    mine, base = only(summary, "mine"), only(summary, "base")
    assert (mine.time, base.time) == pytest.approx((2.0, 5.0), abs=1e-9)
    assert (mine.nodes, mine.fair_nodes) == pytest.approx((30.0, 60.0), abs=1e-9)
    assert present(mine.against_baseline).time.value == pytest.approx(0.4, abs=1e-9)
    assert present(mine.against_baseline).nodes.value == pytest.approx(1 / 3, abs=1e-9)
    assert present(mine.against_baseline).nodes.instances == 4
    assert base.against_baseline is None
    assert (mine.runs, mine.solved, mine.wins, base.wins) == (8, 8, 8, 0)
    assert summary.distributions == ("ca",)
    (note,) = summary.findings  # four instances are too few to claim anything
    assert "4 for mine against base" in note.message
    assert not note.is_error


def test_results_can_be_pickled_after_their_summary(
    rows: list[dict[str, Any]], planted_results: Callable[..., Any]
) -> None:
    results = planted_results(rows)
    of_family = results.runs.of_distribution("ca")
    assert results.summary().rows
    again = pickle.loads(pickle.dumps((results, of_family)))
    assert again[0].runs.nodes.tolist() == results.runs.nodes.tolist()
    assert again[1].nodes.tolist() == of_family.nodes.tolist()


@pytest.mark.parametrize("kind", FAILURES)
@pytest.mark.parametrize("known", [True, False])
def test_a_failure_never_moves_a_mean_towards_zero(
    kind: str, known: bool, rows: list[dict[str, Any]], planted_results: Callable[..., Any]
) -> None:
    before = planted_results(rows).summary()
    # It failed after a moment, at its first node, or nothing at all is known of it.
    planted: dict[str, Any] = {"failure": kind, "status": "died", "objective": None}
    planted |= {"time": 0.01, "nodes": 1} if known else {"time": None, "nodes": None}
    rows[0] |= planted | ({} if known else {"fair_nodes": None, "policy_time": None})
    after = planted_results(rows).summary()
    old, new = only(before, "mine"), only(after, "mine")
    assert new.time > old.time
    by_hand = math.exp((math.log(3) * 7 + math.log(61)) / 8) - 1
    assert new.time == pytest.approx(by_hand, abs=1e-9)
    assert present(new.against_baseline).time.value > present(old.against_baseline).time.value
    assert new.nodes == pytest.approx(old.nodes, abs=1e-9)
    assert present(new.against_baseline).nodes.value == pytest.approx(1 / 3, abs=1e-9)
    assert present(new.against_baseline).nodes.runs == 7
    assert (new.runs, new.solved, new.failures) == (8, 7, {kind: 1})
    assert new.wins == 7
    assert after.failures == (
        Failure(policy="mine", instance="ca/0.lp", seed=0, kind=kind, detail=""),
    )


@pytest.mark.parametrize("kind", sorted(NOT_RUN))
def test_an_instance_on_which_no_policy_ran_is_listed_and_counts_for_nobody(
    kind: str, rows: list[dict[str, Any]], planted_results: Callable[..., Any]
) -> None:
    before = planted_results(rows).summary()
    for row in rows:
        if row["instance"] == "ca/3.lp":
            row |= {"failure": kind, "failure_detail": "why", "status": kind, "time": None}
    after = planted_results(rows).summary()
    assert after.unread == {"ca/3.lp": f"{kind}: why"}
    assert after.failures == ()
    assert after.instances == {"ca": 3}
    for policy in ("mine", "base"):
        assert only(after, policy).time == pytest.approx(only(before, policy).time, abs=1e-9)
        assert only(after, policy).runs == 6


def test_node_ratios_are_about_the_runs_that_both_solved(
    rows: list[dict[str, Any]], planted_results: Callable[..., Any]
) -> None:
    # The baseline fails where it would need a million nodes: nobody's node count of it counts.
    rows[1] |= {"failure": "timelimit", "status": "timelimit", "nodes": 10**6, "time": 60.2}
    found = only(planted_results(rows).summary(), "mine").against_baseline
    assert present(found).nodes.value == pytest.approx(1 / 3, abs=1e-9)
    assert (present(found).nodes.instances, present(found).nodes.runs) == (4, 7)
    assert present(found).time.value < 0.4
    rows[3] |= {"failure": "timelimit", "status": "timelimit"}
    found = only(planted_results(rows).summary(), "mine").against_baseline
    assert (present(found).nodes.instances, present(found).nodes.runs) == (3, 6)


def test_a_policy_that_solves_nothing_leaves_the_others_their_node_means(
    rows: list[dict[str, Any]], planted_run: Callable[..., Any], planted_results: Callable[..., Any]
) -> None:
    broken = [
        planted_run("broken", i, s, failure="crash", status="died", time=0.1, nodes=None)
        for i in INSTANCES
        for s in (0, 1)
    ]
    summary = planted_results(broken + rows).summary()
    assert math.isnan(only(summary, "broken").nodes)
    assert only(summary, "mine").nodes == pytest.approx(30.0, abs=1e-9)
    assert present(only(summary, "broken").against_baseline).nodes.method == "none"
    assert only(summary, "broken").time == pytest.approx(60.0, abs=1e-9)


def test_times_within_one_per_cent_or_a_hundredth_of_a_second_are_ties(
    planted_run: Callable[..., Any], planted_results: Callable[..., Any]
) -> None:
    def winners(*times: Any) -> Any:
        rows = [planted_run(p, "ca/0.lp", time=t) for p, t in zip("abc", times, strict=True)]
        return [row.wins for row in planted_results(rows).summary().rows]

    assert winners(10.0, 10.09, 10.2) == [1, 1, 0]
    assert winners(0.001, 0.0105, 0.02) == [1, 1, 0]
    assert winners(5.0, 1.0, 5.0) == [0, 1, 0]


def test_solved_without_branching_is_counted_apart(
    planted_run: Callable[..., Any], planted_results: Callable[..., Any]
) -> None:
    rows = [planted_run("a", f"ca/{n}.lp", nodes=n) for n in range(4)]
    assert planted_results(rows).summary().rows[0].solved_at_root == 2


def test_the_share_of_the_policy_and_a_decisions_time(
    planted_run: Callable[..., Any], planted_results: Callable[..., Any]
) -> None:
    rows = [
        planted_run("a", f"ca/{n}.lp", time=4.0, policy_time=1.0, policy_calls=100)
        for n in range(2)
    ]
    row = planted_results(rows).summary().rows[0]
    assert (row.policy_share, row.decision_time) == pytest.approx((0.25, 10.0), abs=1e-9)


def test_several_distributions_have_rows_each_and_all_together(
    planted_run: Callable[..., Any], planted_results: Callable[..., Any]
) -> None:
    rows = [
        planted_run(policy, f"{family}/{n}.lp", time=time)
        for family, time in (("ca", 1.0), ("sc", 7.0))
        for n in range(2)
        for policy in ("a", "b")
    ]
    summary = planted_results(rows).summary()
    assert summary.distributions == (ALL, "ca", "sc")
    assert summary.instances == {ALL: 4, "ca": 2, "sc": 2}
    times = {(row.distribution, row.policy): row.time for row in summary.rows}
    assert times["ca", "a"] == pytest.approx(1.0, abs=1e-9)
    assert times["sc", "b"] == pytest.approx(7.0, abs=1e-9)
    assert times[ALL, "a"] == pytest.approx(3.0, abs=1e-9)


def test_every_policy_is_compared_with_every_other_both_ways(
    rows: list[dict[str, Any]], planted_run: Callable[..., Any], planted_results: Callable[..., Any]
) -> None:
    rows += [planted_run("third", i, s, time=8.0) for i in INSTANCES for s in (0, 1)]
    compared = planted_results(rows).summary().comparisons["ca"]
    assert len(compared) == 6
    assert compared["mine", "third"].time.value == pytest.approx(2 / 8, abs=1e-9)
    assert compared["third", "mine"].time.value == pytest.approx(8 / 2, abs=1e-9)


def test_a_missing_run_leaves_its_pair_out_and_the_summary_says_so(
    rows: list[dict[str, Any]], planted_results: Callable[..., Any]
) -> None:
    rows[0] |= {"time": 50.0}
    with_pair = present(only(planted_results(rows).summary(), "mine").against_baseline).time
    del rows[1]  # the baseline's run on the same instance and seed
    summary = planted_results(rows, expected_runs=16).summary()
    found = present(only(summary, "mine").against_baseline).time
    assert found.runs == with_pair.runs - 1
    assert found.value == pytest.approx(0.4, abs=1e-9)
    assert not summary.is_complete


@pytest.mark.parametrize(
    ("planted", "word"),
    [
        ({"objective": 5.0 + 6e-5}, "objective"),
        ({"status": "infeasible", "objective": None}, "infeasible"),
        ({"instance_hash": "another"}, "content hash"),
        ({"reference_objective": 4.0}, "known optimum"),
        ({"status": "gaplimit", "gap": 0.01, "objective": 5.2}, "objective"),
    ],
)
def test_runs_that_cannot_both_be_right_are_an_error(
    planted: dict[str, Any],
    word: str,
    rows: list[dict[str, Any]],
    planted_results: Callable[..., Any],
) -> None:
    if "reference_objective" in planted:
        for row in rows[:4]:
            row |= planted
    else:
        rows[0] |= planted
    (message,) = planted_results(rows).summary().errors
    assert word in message
    assert "ca/0.lp" in message


@pytest.mark.parametrize(
    "planted",
    [
        {"objective": 5.0 + 4e-6},
        {"status": "gaplimit", "gap": 0.01, "objective": 5.04},
        {"failure": "timelimit", "status": "timelimit", "objective": 9.0},
        {"failure": "crash", "status": "died", "objective": None},
    ],
)
def test_values_within_the_tolerance_and_unproven_ones_are_no_contradiction(
    planted: dict[str, Any], rows: list[dict[str, Any]], planted_results: Callable[..., Any]
) -> None:
    rows[0] |= planted
    assert planted_results(rows).summary().errors == ()


def test_repeated_content_and_mixed_versions_and_hosts_are_notes(
    rows: list[dict[str, Any]], planted_results: Callable[..., Any]
) -> None:
    for row in rows:
        if row["instance"] == "ca/3.lp":
            row |= {"instance_hash": "hash of ca/2.lp"}
    rows[0] |= {"scip_version": "9", "host": "there"}
    summary = planted_results(rows).summary()
    text = " ".join(finding.message for finding in summary.findings)
    assert summary.errors == ()
    assert "ca/3.lp has the same content as ca/2.lp" in text
    assert "versions of SCIP: 10, 9" in text
    assert "machines: here, there" in text


def test_one_policy_alone_has_a_summary_without_comparisons(
    planted_run: Callable[..., Any], planted_results: Callable[..., Any]
) -> None:
    summary = planted_results([planted_run("base", "ca/0.lp")]).summary()
    assert len(summary.rows) == 1
    assert summary.rows[0].against_baseline is None
