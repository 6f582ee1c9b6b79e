"""The command ``tree``: what it draws and prints, and what it refuses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from milplib.generators import CombinatorialAuction

from .conftest import fail, succeed


@pytest.fixture(scope="module")
def auction(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("auction") / "a.lp"
    CombinatorialAuction(n_items=50, n_bids=200).generate(4).write(path)
    return path


def test_tree_draws_as_many_nodes_as_it_says(auction: Any, tmp_path: Path) -> None:
    printed = succeed("tree", auction, "--policy", "pscost", "--out", tmp_path / "t.svg")
    lines = dict(re.split(r"\s{2,}", line, maxsplit=1) for line in printed.splitlines())
    assert lines["solved"] == "a with pscost, default, seed 0: optimal"
    counts = sum(int(count) for count in re.findall(r"(\d+) [a-z]", lines["nodes"]))
    assert (tmp_path / "t.svg").read_text().count("<circle") == counts > 1
    assert "as SCIP counts" in lines["count"]


@pytest.mark.slow
def test_a_form_that_cannot_be_drawn_and_an_unknown_policy_are_refused(
    auction: Any, tmp_path: Path
) -> None:
    fail("tree", auction, "--out", tmp_path / "t.jpg", naming=".svg")
    fail("tree", auction, "--policy", "pscots", "--out", tmp_path / "t.svg", naming="pscost")
    fail("tree", tmp_path / "none.lp", "--out", tmp_path / "t.svg", naming="none.lp")
    assert list(tmp_path.iterdir()) == []
