"""The page: it needs nothing else, and shows what must not be overlooked."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from milplib.errors import OutputError
from milplib.evaluation import write_report

VOID = {"meta", "path"} | {"br", "img", "link", "input"}


class Page(HTMLParser):
    """Text, attributes and the balance of tags of a page."""

    def __init__(self, text):
        super().__init__()
        self.open, self.text, self.attributes, self.tags = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture
def rows(planted_run):
    return [
        planted_run(policy, f"{family}/{n}.lp", seed, time=time, nodes=nodes, fair_nodes=nodes)
        for family in ("ca", "sc")
        for n in range(3)
        for seed in (0, 1)
        for policy, time, nodes in (
            ("mine", 2.0 + n, 30),
            ("<other> & co", 3.0, 40),
            ("base", 5.0, 90),
        )
    ]


@pytest.fixture
def read(tmp_path):
    def write_and_read(results):
        text = write_report(results, tmp_path / "report.html").read_text()
        page = Page(text)
        assert page.open == []
        return text, " ".join(" ".join(page.text).split()), page

    return write_and_read


def test_the_page_loads_nothing_and_holds_no_script(rows, planted_results, read):
    text, _, page = read(planted_results(rows))
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


def test_the_page_has_light_and_dark_colours_and_fits_a_phone(rows, planted_results, read):
    text, _, _ = read(planted_results(rows))
    assert "prefers-color-scheme: dark" in text
    assert 'name="viewport"' in text
    assert "currentColor" in text
    assert "#010203" not in text


def test_the_page_shows_the_numbers_and_how_sure_they_are(rows, planted_results, read):
    _, text, page = read(planted_results(rows))
    assert page.tags.count("svg") == 3
    assert "mine, <other> & co against base" in text
    assert "mine: 12 of 12 runs solved; time 0." in text
    assert "nodes 0.333 × base (0.333 to 0.333: fewer)" in text
    assert "All instances (6 instances)" in text
    assert "not finished" not in text.lower()
    assert "Failures None." in text


def test_failures_and_faults_are_named(rows, planted_results, read):
    rows[0] |= {"failure": "crash", "failure_detail": "<killed>", "status": "died", "time": 0.1}
    rows[3] |= {"objective": 6.0}
    for row in rows[6:12]:
        if row["instance"] == "ca/1.lp":
            row |= {"failure": "unreadable", "failure_detail": "no MPS", "status": "unreadable"}
    text, words, _ = read(planted_results(rows, expected_runs=100))
    assert "Not finished: 36 of 100 runs are there." in words
    assert "Error: contradiction on ca/0.lp" in words
    assert "mine crash 0 ca/0.lp <killed>" in words
    assert "&lt;killed&gt;" in text
    assert "no policy ran ca/1.lp unreadable: no MPS" in words
    assert "1 crash" in words


def test_one_policy_and_one_run_and_none_have_a_page(planted_run, planted_results, read):
    alone = planted_run("base", "ca/0.lp")
    _, words, page = read(planted_results([alone]))
    assert "1 policies" not in words
    assert "1 policy on 1 instance with 1 seed" in words
    assert "svg" not in page.tags
    unread = alone | {"failure": "unreadable", "status": "unreadable", "time": None}
    _, words, _ = read(planted_results([unread]))
    assert "no policy ran ca/0.lp" in words


def test_a_pair_of_single_runs_has_ratios_without_an_interval(planted_run, planted_results, read):
    rows = [planted_run(policy, "ca/0.lp", time=time) for policy, time in (("a", 1.0), ("b", 2.0))]
    _, words, page = read(planted_results(rows))
    assert "no interval" in words
    assert "svg" in page.tags


def test_times_of_zero_and_equal_times_can_be_drawn(planted_run, planted_results, read):
    rows = [planted_run(p, f"ca/{n}.lp", time=0.0, nodes=0) for n in range(2) for p in "ab"]
    _, _, page = read(planted_results(rows))
    assert "svg" in page.tags


def test_equal_results_give_equal_pages(rows, planted_results, read):
    assert read(planted_results(rows))[0] == read(planted_results(rows))[0]


def test_the_users_own_style_does_not_reach_the_page(rows, planted_results, read):
    import matplotlib

    plain, _, _ = read(planted_results(rows))
    with matplotlib.rc_context({"text.color": "#ff00ff", "font.size": 30, "svg.fonttype": "none"}):
        styled, _, _ = read(planted_results(rows))
        assert matplotlib.rcParams["font.size"] == 30
    assert styled == plain


def test_a_page_that_cannot_be_written_is_an_error_in_one_sentence(rows, planted_results, tmp_path):
    with pytest.raises(OutputError, match="cannot write"):
        write_report(planted_results(rows), tmp_path / "nowhere" / "report.html")
