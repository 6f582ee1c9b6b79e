"""The table of an evaluation holds what portfolios picked, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from milplib.evaluation import evaluate
from milplib.evaluation.table import read_table
from milplib.generators import CombinatorialAuction
from milplib.policies import auto_policy

from .conftest import by_policy


@pytest.mark.slow
def test_every_run_of_auto_holds_its_pick_and_other_runs_none(
    markets: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "ca"
    folder.mkdir()
    auction = CombinatorialAuction(n_items=50, n_bids=200).generate(seed=0)
    auction.write(folder / "0.lp")
    results = evaluate(
        [folder, markets], policies=["auto"], seeds=[0], time_limit=30, out=tmp_path / "out"
    )
    runs = by_policy(results)
    assert {row["picked"] for row in runs["relpscost"]} == {""}
    picks = {row["instance"]: row["picked"] for row in runs["auto"]}
    assert picks.pop("ca/0.lp") == "gcnn-auctions (family: auctions)"
    assert all(pick.startswith("relpscost (no family: nearest ") for pick in picks.values())
    assert {str(auto_policy().explained(auction)[1])} < {row["picked"] for row in runs["auto"]}
    written = read_table(tmp_path / "out" / "runs.parquet")
    assert written.column("picked").to_pylist() == results.table.column("picked").to_pylist()
    assert "gcnn-auctions (family: auctions)" in (tmp_path / "out" / "runs.csv").read_text()
    assert 'id="picks"' in (tmp_path / "out" / "report.html").read_text()
