"""The best of SCIP's rules by distribution: how it is chosen, kept and judged."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from milplib.errors import ParameterError, PolicyError, ResultsError, UnknownNameError
from milplib.evaluation import BestScipRule, Evaluation, best_scip_rule, evaluate
from milplib.evaluation.policies import evaluated_policies
from milplib.generators import CombinatorialAuction, IndependentSet

TUNED = "relpscost:maxreliable=1"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two families, each with a validation and a test instance."""
    place = tmp_path_factory.mktemp("place")
    for name, family in (
        ("ca", CombinatorialAuction(n_items=25, n_bids=80)),
        ("is", IndependentSet(n_nodes=40)),
    ):
        for seed, split in enumerate(("val", "test")):
            (place / name / split).mkdir(parents=True)
            family.generate(seed).write(place / name / split / f"{seed}.lp")
    return place


@pytest.fixture(scope="module")
def chosen(place: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "milplib.cli", "natives", "ca", "is", "--rules", TUNED, "pscost",
         "--time-limit", "60", "--out", "natives"],
        cwd=place, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def planted(
    planted_run: Callable[..., Any],
    planted_results: Callable[..., Any],
    times: dict[str, dict[str, tuple[float, float]]],
    **fields: Any,
) -> Evaluation:
    """Results of validation: by distribution and rule the seconds on two instances."""
    rows = [
        planted_run(rule, f"{distribution}/{number}.lp", time=seconds, **fields)
        for distribution, rules in times.items()
        for rule, both in rules.items()
        for number, seconds in enumerate(both)
    ]
    results = planted_results(rows)
    for entry in results.config["instances"]:
        entry["sha256"] = f"sum of {entry['name']}"
    found_there: Evaluation = results
    return found_there


def test_the_lowest_shifted_geometric_mean_of_time_wins_in_each_distribution(
    planted_run: Callable[..., Any], planted_results: Callable[..., Any]
) -> None:
    # The plain means would choose otherwise: (1 + 17)/2 > (5 + 6)/2, but 2·18 < 6·7.
    times = {
        "ca": {TUNED: (1.0, 17.0), "pscost": (5.0, 6.0), "relpscost": (9.0, 9.0)},
        "sc": {TUNED: (3.0, 3.0), "pscost": (2.0, 2.0), "relpscost": (2.0, 2.0)},
    }
    best = BestScipRule.of(planted(planted_run, planted_results, times))
    assert best.rules == {"ca": TUNED, "sc": "pscost"}  # of equal ones the first
    found = {(row.distribution, row.rule): row.time for row in best.table}
    assert found["ca", TUNED] == pytest.approx((2 * 18) ** 0.5 - 1, rel=1e-12)
    assert found["sc", "relpscost"] == pytest.approx(2.0, rel=1e-12)
    assert len(found) == 6
    assert best.config == {"seeds": [0], "time_limit": 60.0, "setting": "default"}
    assert best.instances == tuple(f"sum of {d}/{n}.lp" for d in ("ca", "sc") for n in (0, 1))


def test_a_failure_counts_as_the_limit(
    planted_run: Callable[..., Any], planted_results: Callable[..., Any]
) -> None:
    rows = [
        planted_run("pscost", "ca/0.lp", time=0.1, status="died", failure="crash", objective=None),
        planted_run("relpscost", "ca/0.lp", time=50.0),
    ]
    results = planted_results(rows)
    results.config["instances"] = [{"name": "ca/0.lp", "sha256": "s"}]
    best = BestScipRule.of(results)
    assert best.rules == {"ca": "relpscost"}
    (pscost, _) = best.table
    assert pscost.time == pytest.approx(60.0)
    assert (pscost.solved, pscost.failures) == (0, {"crash": 1})


def test_results_that_allow_no_choice_are_refused(
    planted_run: Callable[..., Any], planted_results: Callable[..., Any]
) -> None:
    good = {"ca": {"pscost": (1.0, 1.0), "relpscost": (1.0, 1.0)}}
    unsolved: dict[str, Any] = {"status": "timelimit", "failure": "timelimit", "objective": None}
    with pytest.raises(ResultsError, match="none of the rules solved an instance of ca within 60"):
        BestScipRule.of(planted(planted_run, planted_results, good, **unsolved))
    unread: dict[str, Any] = {
        "status": "unreadable",
        "failure": "unreadable",
        "failure_detail": "line 1",
    }
    with pytest.raises(ResultsError, match=r"no rule ran on 2 .*ca/0\.lp: unreadable: line 1"):
        BestScipRule.of(planted(planted_run, planted_results, good, **unread))
    rows = [planted_run("pscost", "ca/0.lp"), planted_run("relpscost", "ca/0.lp", objective=9.0)]
    with pytest.raises(ResultsError, match="wrong: contradiction on"):
        BestScipRule.of(planted_results(rows))
    with pytest.raises(ResultsError, match="of 5 runs only 2 are there"):
        BestScipRule.of(planted_results(rows, expected_runs=5))
    results = planted(planted_run, planted_results, good)
    for policy in results.config["policies"]:
        policy["kind"] = "file"
    with pytest.raises(ResultsError, match="none of the policies"):
        BestScipRule.of(results)


def test_policies_that_are_no_rules_are_never_chosen(
    planted_run: Callable[..., Any], planted_results: Callable[..., Any]
) -> None:
    results = planted(
        planted_run, planted_results, {"ca": {"mine": (0.5, 0.5), "pscost": (2.0, 2.0)}}
    )
    results.config["policies"][0] |= {"kind": "file", "sha256": "abc"}
    assert BestScipRule.of(results).rules == {"ca": "pscost"}


@pytest.mark.slow
def test_the_command_chooses_on_validation_instances_and_shows_all_it_tried(
    chosen: str, place: Path
) -> None:
    lines = [line.split() for line in chosen.splitlines()]
    assert lines[0] == ["distribution", "rule", "time", "s", "solved"]
    assert sorted(line[:2] for line in lines[1:5]) == [
        ["ca", "pscost"],
        ["ca", TUNED],
        ["is", "pscost"],
        ["is", TUNED],
    ]
    assert [line[-1] == "best" for line in lines[1:5]] == [True, False] * 2
    best = BestScipRule.load(place / "natives" / "best-scip-rule.json")
    assert [best.rules["ca"], best.rules["is"]] == [lines[1][1], lines[3][1]]
    assert all(row.solved == row.runs == 1 for row in best.table)
    names = [
        i["name"]
        for i in json.loads((place / "natives/manifest.json").read_text())["config"]["instances"]
    ]
    assert names == ["ca/val/0.lp", "is/val/0.lp"]


@pytest.mark.slow
def test_the_same_call_on_a_finished_folder_runs_nothing(chosen: str, place: Path) -> None:
    folder = place / "natives"
    times = {
        path.name: path.stat().st_mtime_ns for path in folder.iterdir() if path.suffix != ".json"
    }
    best = best_scip_rule(
        [place / "ca", place / "is"], rules=[TUNED, "pscost"], time_limit=60, out=folder
    )
    assert best == BestScipRule.load(folder / "best-scip-rule.json")
    assert {name: (folder / name).stat().st_mtime_ns for name in times} == times


@pytest.mark.slow
def test_an_evaluation_solves_each_instance_with_the_rule_of_its_distribution(
    place: Path, tmp_path: Path
) -> None:
    BestScipRule(rules={"ca": "pscost", "is": TUNED}, name="x").write(tmp_path / "best.json")
    folders = [place / "ca", place / "is"]
    results = evaluate(
        folders,
        policies=[tmp_path / "best.json"],
        baseline="pscost",
        setting="learn2branch",
        time_limit=60,
        out=tmp_path / "r",
    )
    rows = {(row["policy"], row["distribution"]): row for row in results.table.to_pylist()}
    assert results.policies == ("best", "pscost")
    for what in ("nodes", "lp_iterations", "strong_branching_iterations", "policy_calls"):
        assert rows["best", "ca"][what] == rows["pscost", "ca"][what]
    told = results.config["policies"][0]
    assert told["rules"] == {"ca": "pscost", "is": TUNED}
    assert told["kind"] == "rule"
    assert rows["best", "is"]["policy_hash"] == told["sha256"]
    assert len(told["sha256"]) == 64


@pytest.mark.slow
def test_it_is_not_judged_on_what_it_was_chosen_on_nor_on_other_distributions(
    chosen: str, place: Path, tmp_path: Path
) -> None:
    file = place / "natives" / "best-scip-rule.json"
    (tmp_path / "ca").mkdir()
    (tmp_path / "ca" / "renamed.lp").write_bytes((place / "ca" / "val" / "0.lp").read_bytes())
    out = tmp_path / "r"
    with pytest.raises(ParameterError, match=r"chosen on the instance ca/renamed\.lp"):
        evaluate([tmp_path / "ca"], policies=[file], out=out)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.lp").write_bytes((place / "ca" / "test" / "1.lp").read_bytes())
    with pytest.raises(ParameterError, match=r"no rule for the distribution 'other'.*ca, is"):
        evaluate([tmp_path / "other"], policies=["pscost"], baseline=file, out=out)
    assert not out.exists()


def test_two_choices_are_two_policies_and_the_same_one_twice_is_refused(tmp_path: Path) -> None:
    for name, rule in (("a", "pscost"), ("b", "random"), ("c", "pscost")):
        BestScipRule(rules={"ca": rule}).write(tmp_path / f"{name}.json")
    a, b, c = (tmp_path / f"{name}.json" for name in "abc")
    found, _ = evaluated_policies([a, b], baseline="relpscost")
    assert [policy.label for policy in found] == ["a", "b", "relpscost"]
    with pytest.raises(ParameterError, match="given twice"):
        evaluated_policies([a, c], baseline="relpscost")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no choice of SCIP's rules"),
        ("[1]", "another kind of file"),
        ("{}", "another kind of file"),
        ('{"format": "milplib-best-native", "version": 2}', "version 2, this milplib reads 1"),
        ('{"format": "milplib-best-native", "version": 1}', "'rules'"),
        (
            '{"format": "milplib-best-native", "version": 1, "rules": {"ca": "os:system"}, '
            '"table": [], "instances": []}',
            "'os:system' for the distribution 'ca', which is no rule",
        ),
        (
            '{"format": "milplib-best-native", "version": 1, "rules": {"ca": "pscots:x=1"}, '
            '"table": [], "instances": []}',
            "did you mean pscost",
        ),
        (
            '{"format": "milplib-best-native", "version": 1, "rules": [], "table": [], '
            '"instances": []}',
            "no choice of SCIP's rules",
        ),
    ],
)
def test_a_file_that_is_no_choice_is_refused(content: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "best.json").write_text(content)
    with pytest.raises((PolicyError, UnknownNameError), match=words):
        evaluated_policies([tmp_path / "best.json"], baseline="relpscost")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"cannot read .*none\.json: No such file"):
        BestScipRule.load(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("rules", "words"),
    [([], "give a list"), ("pscost", "give a list"), (["os:system"], "no rule of SCIP's")],
)
def test_rules_that_are_none_are_refused_before_anything_runs(
    rules: list[str] | str, words: str, place: Path, tmp_path: Path
) -> None:
    with pytest.raises(ParameterError, match=words):
        best_scip_rule([place / "ca"], rules=rules, out=tmp_path / "r")
    assert not (tmp_path / "r").exists()
