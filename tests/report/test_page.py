"""The page: it needs nothing else, and shows what must not be overlooked; what is pasted."""

from __future__ import annotations

import csv
import re
import warnings
from html.parser import HTMLParser

import matplotlib
import numpy as np
import pytest

from milplib.errors import OutputError, ResultsError
from milplib.evaluation.table import run_table
from milplib.evaluation.traces import trace_table
from milplib.report import write_report
from milplib.report.exports import latex_escaped, latex_table, write_exports
from milplib.report.figures.curves import gap_curves, profile_plot
from milplib.report.figures.heat_map import heat, heat_map_plot
from milplib.report.figures.time_split import time_split
from milplib.report.text import headline, judgement

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


def planted_rows(planted_run, *, instances=3):
    return [
        planted_run(policy, f"{family}/{n}.lp", seed, time=time, nodes=nodes, fair_nodes=nodes)
        for family in ("ca", "sc")
        for n in range(instances)
        for seed in (0, 1)
        for policy, time, nodes in (
            ("mine", 2.0 + 0.1 * n, 30),
            ("<other> & co", 3.0, 40),
            ("base", 5.0 + n, 90),
        )
    ]


@pytest.fixture
def rows(planted_run):
    return planted_rows(planted_run)


@pytest.fixture
def read(tmp_path):
    def write_and_read(results):
        text = write_report(results, tmp_path / "report.html").read_text()
        page = Page(text)
        assert page.open == []
        return text, " ".join(" ".join(page.text).split()), page

    return write_and_read


def test_the_page_is_whole_by_itself_and_shows_the_numbers(rows, planted_results, read):
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
    claim = "mine is ahead of base, but that may be chance."
    assert words.index(claim) < words.index("Performance profiles")
    assert "mine: 12 of 12 runs solved; time 0." in words
    assert "nodes 0.333 × base (0.333 to 0.333: fewer)" in words
    assert "All instances (6 instances)" in words
    assert "Not finished" not in words
    assert "Failures None." in words
    assert page.tags.count("figure") == 5


def test_equal_results_give_equal_pages_in_whatever_style_the_user_has(rows, planted_results, read):
    plain, _, _ = read(planted_results(rows))
    with matplotlib.rc_context({"text.color": "#ff00ff", "font.size": 30, "svg.fonttype": "none"}):
        styled, _, _ = read(planted_results(rows))
        assert matplotlib.rcParams["font.size"] == 30
    assert styled == plain


def test_planted_faults_are_each_named_and_make_no_mean_better(rows, planted_results, read):
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


def test_a_cell_without_runs_is_marked_and_named(rows, planted_results, read):
    rows = [r for r in rows if not (r["policy"] == "mine" and r["instance"].startswith("sc/"))]
    _, words, page = read(planted_results(rows, expected_runs=36))
    assert "Empty cells: mine on sc." in words
    assert [value for name, value in page.attributes if name == "class"].count("empty") >= 1


def test_one_policy_and_one_run_and_none_have_a_page(planted_run, planted_results, read):
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


def test_an_evaluation_that_has_only_begun_has_a_page(planted_run, planted_results, read):
    results = planted_results([planted_run("base", "ca/0.lp")], expected_runs=9)
    empty = type(results)(**(vars(results) | {"table": results.table.slice(0, 0)}))
    _, words, _ = read(empty)
    assert "0 of 9 runs are there" in words


def test_a_pair_of_single_runs_of_no_time_has_ratios_without_an_interval(
    planted_run, planted_results, read
):
    rows = [planted_run(policy, "ca/0.lp", time=time) for policy, time in (("a", 0.0), ("b", 2.0))]
    _, words, page = read(planted_results(rows))
    assert "no interval" in words
    assert "svg" in page.tags


@pytest.mark.parametrize(
    ("change", "naming"),
    [({"time": -1.0}, "time"), ({"time": float("nan")}, "time"), ({"seed": 1}, "2 times")],
)
def test_a_table_with_impossible_rows_is_refused(rows, planted_results, change, naming):
    place = 0  # its pair has the seed 1, too
    rows[place] = rows[place] | change
    with pytest.raises(ResultsError, match=naming):
        planted_results(rows)


def test_a_page_that_cannot_be_written_is_an_error_in_one_sentence(
    planted_run, planted_results, tmp_path
):
    results = planted_results([planted_run("base", "ca/0.lp")])
    with pytest.raises(OutputError, match="cannot write"):
        write_report(results, tmp_path / "nowhere" / "report.html")


@pytest.mark.parametrize(
    ("instances", "factor", "claim"),
    [
        (12, 0.5, "mine is faster than base."),
        (3, 0.5, "mine is ahead of base, but that may be chance."),
        (12, 2.0, "No policy is faster than base."),
    ],
)
def test_the_headline_claims_no_more_than_the_test_allows(
    planted_run, planted_results, instances, factor, claim
):
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


def test_exports_hold_the_numbers_of_the_summary(rows, planted_results, tmp_path):
    results = planted_results(rows)
    paths = write_exports(results, tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in paths} == {
        "summary.csv",
        "summary.tex",
    } | {
        f"figures/{name}.{form}"
        for name in (
            "profiles",
            "ratios",
            "time-pairs",
            "nodes-pairs",
            "seeds",
            "matrix-time",
        )
        for form in ("png", "pdf")
    }
    starts = {".png": b"\x89PNG", ".pdf": b"%PDF"}
    for path in paths[2:]:
        assert path.read_bytes().startswith(starts[path.suffix])
    with open(paths[0], newline="") as stream:
        found = list(csv.DictReader(stream))
    summary = results.summary()
    assert len(found) == len(summary.rows) == 9
    for line, row in zip(found, summary.rows, strict=True):
        assert (line["distribution"], line["policy"]) == (row.distribution, row.policy)
        assert float(line["time"]) == row.time
        if row.against_baseline is None:
            assert line["time_ratio"] == line["p_value"] == ""
        else:
            assert float(line["time_ratio_low"]) == row.against_baseline.time.low


def test_equal_figures_give_equal_files(rows, planted_results, tmp_path):
    results = planted_results(rows)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        profile_plot(results.runs).save(tmp_path / folder)
    for name in ("profiles.png", "profiles.pdf"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_latex_table_is_well_formed_whatever_the_names(planted_run, planted_results):
    names = ("50 % of a_b & {c}", r"\end{tabular} $x^2$ ~#1", "base")
    rows = [planted_run(policy, "c_a/0.lp", time=1.0 + n) for n, policy in enumerate(names)]
    rows += [row | {"instance": "sc/0.lp", "distribution": "sc"} for row in rows]
    table = latex_table(planted_results(rows, expected_runs=20).summary())
    lines = [line for line in table.splitlines() if not line.startswith("%")]
    assert table.count(r"\begin{tabular}") == table.count(r"\end{tabular}") == 1
    assert [line for line in lines if line in (r"\toprule", r"\midrule", r"\bottomrule")] == [
        r"\toprule", *[r"\midrule"] * 3, r"\bottomrule"
    ]  # fmt: skip
    cells = [line for line in lines if line.endswith(r"\\") and "multicolumn" not in line]
    assert len(cells) == 1 + 9
    for line in cells:
        assert len(re.findall(r"(?<!\\)&", line)) == 7
    body = table[table.index(r"\toprule") :]
    assert body.count("{") - body.count(r"\{") == body.count("}") - body.count(r"\}")
    assert not re.search(r"(?<!\\)[%#_^~]", body.replace("$p$", ""))
    assert "% Not finished: 6 of 20 runs." in table
    assert latex_escaped(names[1]).startswith(r"\textbackslash{}end\{tabular\} \$x")


def test_mean_gaps_over_time_are_those_of_a_calculation_by_hand(planted_run):
    trace = {"time": [1.0, 3.0], "primal": [8.0, 4.0], "dual": [2.0, 3.0]}
    rows = [
        planted_run("a", "x", time=5.0) | {"trace": trace},
        planted_run("b", "x", time=5.0, failure="crash"),
        planted_run("a", "y", time=5.0, failure="timelimit") | {"trace": trace},
        planted_run("b", "y", time=5.0) | {"trace": trace},
        planted_run("a", "only a has it", time=5.0) | {"trace": trace},
    ]
    seconds, gaps, pairs = gap_curves(
        run_table(rows), trace_table(rows), policies=("a", "b", "c"), limit=60.0
    )
    assert pairs == 2
    assert list(gaps) == ["a", "b"]

    def at(policy, second):
        return gaps[policy][np.searchsorted(seconds, second, side="right") - 1]

    # before the first bounds; (8 - 2) / 8; (4 - 3) / 4; solved or stuck
    assert [at("a", second) for second in (0.5, 2.0, 4.0, 30.0)] == [1.0, 0.75, 0.25, 0.125]
    assert [at("b", second) for second in (0.5, 2.0, 4.0, 30.0)] == [1.0, 0.875, 0.625, 0.5]


def test_the_time_split_adds_up_to_the_time_inside_the_policy(planted_run):
    parts = {"observe_time": 1.0, "score_time": 2.0, "branch_time": 0.5}
    rows = [
        planted_run("mine", "x", time=10.0, policy_time=4.0, policy_calls=10) | parts,
        planted_run("mine", "y", time=30.0, policy_time=4.0, policy_calls=30) | parts,
        planted_run("rule", "x", time=10.0, policy_time=5.0, policy_calls=5),
    ]
    split = time_split(run_table(rows), ("mine", "rule", "never ran"))
    assert split.shares[0] == pytest.approx([0.05, 0.1, 0.025, 0.025], rel=1e-12)
    assert split.milliseconds[0] == pytest.approx([50.0, 100.0, 25.0, 25.0], rel=1e-12)
    assert split.shares[1] == pytest.approx([0.0, 0.0, 0.0, 0.5], rel=1e-12)
    assert np.isnan(split.shares[2]).all()


def test_heat_is_even_at_1_and_the_same_for_a_ratio_and_its_inverse():
    assert heat(1.0) == 0
    for ratio in (1.5, 3.0, 100.0):
        assert heat(ratio) > 0
        assert heat(1 / ratio) == pytest.approx(-heat(ratio), rel=1e-12)  # rounding of logarithms
    assert heat(0.0) == -1
    assert heat(float("nan")) == 0


@pytest.mark.parametrize("name", ["a", "relpscost:" + "initcand=10," * 12 + "maxreliable=1"])
def test_the_matrix_has_room_for_names_of_any_length(name, planted_run, planted_results, tmp_path):
    rows = [
        planted_run(policy, f"CA-easy/{n}.lp", time=time)
        for n in range(3)
        for policy, time in ((name, 1.0), ("b", 2.0))
    ]
    plot = heat_map_plot(planted_results(rows).summary().matrix)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of axes for which nothing is left
        plot.save(tmp_path)
