"""The page: it needs nothing else, and shows what must not be overlooked; what is pasted."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import matplotlib
import pytest

from milplib.errors import OutputError, ResultsError
from milplib.report import write_report
from milplib.report.text import headline, judgement

VOID = {"meta", "path"} | {"br", "img", "link", "input"}


class Page(HTMLParser):
    """Text, attributes and the balance of tags of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[Any] = []
        self.text: list[Any] = []
        self.attributes: list[Any] = []
        self.tags: list[Any] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: Any, attrs: Any) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: Any, attrs: Any) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: Any) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: Any) -> None:
        self.text.append(data)


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def write_and_read(results: Any) -> Any:
        text = write_report(results, tmp_path / "report.html").read_text()
        page = Page(text)
        assert page.open == []
        return text, " ".join(" ".join(page.text).split()), page

    return write_and_read


def test_the_page_is_whole_by_itself_and_shows_the_numbers(
    rows: Any, planted_results: Any, read: Any
) -> None:
    text, words, page = read(planted_results(rows))
    # It loads nothing.
    assert "http" not in text
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert "@import" not in text
    # What is referred to is in the page, and everything is there once.
    names = [value for name, value in page.attributes if name == "id"]
    assert len(names) == len(set(names))
    referred = re.findall(r'(?:href="#|url\(#)([^")]+)', text)
    assert referred
    assert set(referred) <= set(names)
    assert set(re.findall(r"url\((.)", text)) <= {"#"}
    # It has light and dark colours, and fits a phone.
    assert "prefers-color-scheme: dark" in text
    assert 'name="viewport"' in text
    assert "currentColor" in text
    assert "#010203" not in text
    # The numbers, and how sure they are.
    assert "mine and <other> & co against base" in words
    claim = "mine is perhaps faster than base."
    assert words.index(claim) < words.index("Performance profiles")
    assert "mine: 12 of 12 runs solved; time 0." in words
    assert "nodes 0.333 × base (0.333 to 0.333: fewer)" in words
    assert "All instances (6 instances)" in words
    assert "Not finished" not in words
    assert "Failures None." in words
    assert page.tags.count("figure") == 5


@pytest.mark.slow
def test_equal_results_give_equal_pages_in_whatever_style_the_user_has(
    rows: Any, planted_results: Any, read: Any
) -> None:
    plain, _, _ = read(planted_results(rows))
    with matplotlib.rc_context({"text.color": "#ff00ff", "font.size": 30, "svg.fonttype": "none"}):
        styled, _, _ = read(planted_results(rows))
        assert matplotlib.rcParams["font.size"] == 30
    assert styled == plain


def test_planted_faults_are_each_named_and_make_no_mean_better(
    rows: Any, planted_results: Any, read: Any
) -> None:
    clean = planted_results([dict(row) for row in rows]).summary()
    rows[0] |= {"failure": "crash", "failure_detail": "<killed>", "status": "died", "time": 0.1}
    rows[3] |= {"objective": 6.0}
    leaked = next(r for r in rows if r["instance"] == "sc/0.lp" and r["policy"] == "mine")
    leaked |= {"seen_in": "training", "time": 0.1}
    for row in rows[6:12]:
        if row["instance"] == "ca/1.lp":
            row |= {"failure": "unreadable", "failure_detail": "no MPS", "status": "unreadable"}
    unpaired = next(
        place for place, r in enumerate(rows) if r["instance"] == "sc/2.lp" and r["seed"] == 1
    )
    del rows[unpaired]
    faulty = planted_results(rows, expected_runs=100)
    text, words, _ = read(faulty)
    assert f"Not finished: {len(rows)} of 100 runs are there." in words
    assert "These results contradict themselves." in words
    assert "Error: contradiction on ca/0.lp" in words
    assert "mine crash 0 ca/0.lp <killed>" in words
    assert "&lt;killed&gt;" in text
    assert "mine leak 0 sc/0.lp" in words
    assert "no policy ran ca/1.lp unreadable: no MPS" in words
    assert "sc/2.lp" in words[words.index("Findings") : words.index("Performance profiles")]
    assert "1 crash" in words
    times = {row.policy: row.time for row in clean.rows_of("all")}
    for row in faulty.summary().rows_of("all"):
        if row.policy == "mine":
            assert row.time > times["mine"]


def test_a_cell_without_runs_is_marked_and_named(
    rows: Any, planted_results: Any, read: Any
) -> None:
    rows = [r for r in rows if not (r["policy"] == "mine" and r["instance"].startswith("sc/"))]
    _, words, page = read(planted_results(rows, expected_runs=36))
    assert "Empty cells: mine on sc." in words
    assert [value for name, value in page.attributes if name == "class"].count("empty") >= 1


def test_one_policy_and_one_run_and_none_have_a_page(
    planted_run: Any, planted_results: Any, read: Any
) -> None:
    alone = planted_run("base", "ca/0.lp")
    _, words, page = read(planted_results([alone]))
    assert "1 policies" not in words
    assert "1 policy on 1 instance with 1 seed" in words
    assert "There is nothing to compare base with." in words
    assert "figure" not in page.tags
    unread = alone | {"failure": "unreadable", "status": "unreadable", "time": None}
    _, words, _ = read(planted_results([unread]))
    assert "no policy ran ca/0.lp" in words
    assert "No policy ran on any instance." in words


def test_an_evaluation_that_has_only_begun_has_a_page(
    planted_run: Any, planted_results: Any, read: Any
) -> None:
    results = planted_results([planted_run("base", "ca/0.lp")], expected_runs=9)
    empty = type(results)(**(vars(results) | {"table": results.table.slice(0, 0)}))
    _, words, _ = read(empty)
    assert "0 of 9 runs are there" in words


def test_a_pair_of_single_runs_of_no_time_has_ratios_without_an_interval(
    planted_run: Any, planted_results: Any, read: Any
) -> None:
    rows = [planted_run(policy, "ca/0.lp", time=time) for policy, time in (("a", 0.0), ("b", 2.0))]
    _, words, page = read(planted_results(rows))
    assert "no interval" in words
    assert "svg" in page.tags


@pytest.mark.parametrize(
    ("change", "naming"),
    [({"time": -1.0}, "time"), ({"time": float("nan")}, "time"), ({"seed": 1}, "2 times")],
)
def test_a_table_with_impossible_rows_is_refused(
    rows: Any, planted_results: Any, change: dict[str, Any], naming: str
) -> None:
    place = 0  # its pair has the seed 1, too
    rows[place] = rows[place] | change
    with pytest.raises(ResultsError, match=naming):
        planted_results(rows)


def test_a_page_that_cannot_be_written_is_an_error_in_one_sentence(
    planted_run: Any, planted_results: Any, tmp_path: Path
) -> None:
    results = planted_results([planted_run("base", "ca/0.lp")])
    with pytest.raises(OutputError, match="cannot write"):
        write_report(results, tmp_path / "nowhere" / "report.html")


@pytest.mark.parametrize(
    ("instances", "factor", "claim"),
    [
        (12, 0.5, "mine is faster than base."),
        (3, 0.5, "mine is perhaps faster than base."),
        (12, 2.0, "No policy is faster than base."),
    ],
)
def test_the_headline_claims_no_more_than_the_test_allows(
    planted_run: Any, planted_results: Any, instances: int, factor: float, claim: str
) -> None:
    rows = [
        planted_run(policy, f"ca/{n}.lp", time=(1 + 0.1 * n) * times)
        for n in range(instances)
        for policy, times in (("mine", factor * (1 + 0.01 * n)), ("base", 1.0))
    ]
    summary = planted_results(rows).summary()
    said = headline(summary)
    assert said.claim == claim
    (test,) = summary.tests
    assert f"{test.corrected:.2g}" in said.evidence or "< 0.0001" in said.evidence
    expected = {0.5: "faster", 2.0: "slower"}[factor]
    expected = expected if instances == 12 else f"perhaps {expected}"
    assert judgement(summary, summary.rows[0]) == expected
