"""``milplib collect --expert`` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from milplib.generators import CombinatorialAuction

from .conftest import fail, succeed


@pytest.mark.slow
def test_collect_takes_an_expert_beside_which_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "i").mkdir()
    CombinatorialAuction(n_items=40, n_bids=150).generate(1).write(tmp_path / "i" / "a.lp")
    common = ("collect", tmp_path / "i", "--samples-per-instance", 1, "--expert-probability", 1)
    succeed(*common, "--expert", "shortlist:3+iterations:20", "--out", tmp_path / "s")
    config = json.loads((tmp_path / "s" / "manifest.json").read_text())["config"]
    assert config["expert"] == "shortlist:3+iterations:20"
    line = fail(*common, "--expert", "shortlst:3", "--out", tmp_path / "t", naming="shortlst:3")
    for known in ("full", "fast", "shortlist:N", "lookahead:N", "iterations:N"):
        assert known in line
    fail(*common, "--expert", "shortlist:0", "--out", tmp_path / "t", naming="from 1 to")
    fail(*common, "--expert", "no_such:Mine", "--out", tmp_path / "t", naming="no_such")
    fail(*common, "--expert", "fast", "--out", tmp_path / "s", naming="expert")
