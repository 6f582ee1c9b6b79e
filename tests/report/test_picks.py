"""The page of an evaluation shows what portfolios picked, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from milplib.report import write_report

KNOWN, UNKNOWN = "gcnn-auctions (family: auctions)", "relpscost (no family: <near> covers)"


def test_the_page_counts_the_picks_of_each_policy(
    rows: Any, planted_results: Any, tmp_path: Path
) -> None:
    runs = [row for row in rows if row["policy"] == "mine"]
    for place, row in enumerate(runs):
        row["picked"] = UNKNOWN if place < 3 else KNOWN
    page = write_report(planted_results(rows), tmp_path / "report.html").read_text()

    section = page[page.index('id="picks"') :].partition("</table>")[0]
    assert section.index(KNOWN) < section.index("&lt;near&gt;"), "the most frequent first"
    for picked, count in ((KNOWN, len(runs) - 3), (UNKNOWN, 3)):
        escaped = picked.replace("<", "&lt;").replace(">", "&gt;")
        assert f'<th>mine</th><td class="text">{escaped}</td><td>{count}</td>' in section
    assert '<a href="#picks">' in page


def test_a_page_without_portfolios_has_no_such_section(
    rows: Any, planted_results: Any, tmp_path: Path
) -> None:
    page = write_report(planted_results(rows), tmp_path / "report.html").read_text()
    assert "picks" not in page


@pytest.mark.slow
def test_ever_different_picks_do_not_fill_the_page(
    rows: Any, planted_results: Any, tmp_path: Path
) -> None:
    many = [dict(row, seed=row["seed"] + 2 * k) for k in range(9) for row in rows]
    for place, row in enumerate(many):
        row["picked"] = f"pscost (function: {place})"
    page = write_report(planted_results(many), tmp_path / "report.html").read_text()
    assert page.count("pscost (function:") == 40
    assert f"And {len(many) - 40} more; runs.csv holds" in page
