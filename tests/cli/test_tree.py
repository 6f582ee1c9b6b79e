"""The command ``tree``: what it draws and prints, and what it refuses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from market_split import market_split

from .conftest import fail, succeed


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("market") / "a.lp"
    market_split(4, n_columns=12).write(path)
    return path


def test_tree_draws_as_many_nodes_as_it_says(market: Any, tmp_path: Path) -> None:
    printed = succeed("tree", market, "--policy", "pscost", "--out", tmp_path / "t.svg")
    lines = dict(re.split(r"\s{2,}", line, maxsplit=1) for line in printed.splitlines())
    assert lines["solved"] == "a with pscost, default, seed 0: optimal"
    counts = sum(int(count) for count in re.findall(r"(\d+) [a-z]", lines["nodes"]))
    assert (tmp_path / "t.svg").read_text().count("<circle") == counts > 1
    assert "as SCIP counts" in lines["count"]


@pytest.mark.slow
def test_a_form_that_cannot_be_drawn_and_an_unknown_policy_are_refused(
    market: Any, tmp_path: Path
) -> None:
    fail("tree", market, "--out", tmp_path / "t.jpg", naming=".svg")
    fail("tree", market, "--policy", "pscots", "--out", tmp_path / "t.svg", naming="pscost")
    fail("tree", tmp_path / "none.lp", "--out", tmp_path / "t.svg", naming="none.lp")
    assert list(tmp_path.iterdir()) == []
