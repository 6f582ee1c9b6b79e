"""SCIP's statistics of branching rules are read whatever a name holds, with or without a disk."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pyscipopt
import pytest
from market_split import market_split

import milplib
from milplib.scip.branching_statistics import branching_statistics

NAMES = ('quo"te', "back\\slash", "new\nline", "ta\tb", '"}, "branchrules": {"plugins": {"')


def solved(name: str, rule: str = "") -> pyscipopt.Model:
    model = market_split(3, n_columns=12).to_scip()
    model.setProbName(name)
    model.hideOutput()
    model.setParam("randomization/randomseedshift", 1)
    if rule:
        model.includeBranchrule(pyscipopt.Branchrule(), rule, f"of {rule}", -100, -1, 1.0)
    model.optimize()
    return model


@pytest.mark.parametrize("name", NAMES)
def test_the_counts_are_those_of_scips_own_json_under_a_plain_name(
    name: str, tmp_path: Path
) -> None:
    plain = solved("plain")
    plain.writeStatisticsJson(str(tmp_path / "statistics.json"))
    rules = json.loads((tmp_path / "statistics.json").read_text())["branchrules"]["plugins"]
    counts = {
        rule: {key: value for key, value in values.items() if isinstance(value, int)}
        for rule, values in rules.items()
        if isinstance(values, dict)
    }
    found = branching_statistics(solved(name))
    assert {
        rule: {key: value for key, value in values.items() if isinstance(value, int)}
        for rule, values in found.items()
    } == counts
    assert sum(values["nchildren"] for values in found.values()) > 0


@pytest.mark.parametrize("rule", NAMES[:4])
def test_a_users_rule_of_any_name_is_counted_beside_the_others(rule: str) -> None:
    found = branching_statistics(solved("plain", rule))
    assert rule in found
    assert found.keys() - {rule} == branching_statistics(solved("plain")).keys()


def test_the_users_choice_of_tables_is_as_it_was() -> None:
    model = solved("plain")
    model.setParam("table/timing/active", False)
    branching_statistics(model)
    active = {name: value for name, value in model.getParams().items() if "table/" in name}
    assert active["table/timing/active"] is False
    assert active["table/status/active"] is True


def test_a_solve_needs_no_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    market_split(3, n_columns=8, n_rows=1).write(tmp_path / "a.lp")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(FileNotFoundError):
        tempfile.TemporaryDirectory()
    result = milplib.solve(tmp_path / "a.lp", policy="relpscost:maxreliable=1")
    assert result.status == "optimal"
