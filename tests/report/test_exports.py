"""Tables and figures of a report hold the numbers of its summary."""

from __future__ import annotations

import csv
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from narrowing import present

from milplib.evaluation.table import run_table
from milplib.evaluation.traces import trace_table
from milplib.report.exports import latex_escaped, latex_table, write_exports
from milplib.report.figures.curves import gap_curves, profile_plot
from milplib.report.figures.heat_map import heat, heat_map_plot
from milplib.report.figures.time_split import time_split


def test_exports_hold_the_numbers_of_the_summary(
    rows: Any, planted_results: Any, tmp_path: Path
) -> None:
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


def test_equal_figures_give_equal_files(rows: Any, planted_results: Any, tmp_path: Path) -> None:
    results = planted_results(rows)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        present(profile_plot(results.runs)).save(tmp_path / folder)
    for name in ("profiles.png", "profiles.pdf"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_latex_table_is_well_formed_whatever_the_names(
    planted_run: Any, planted_results: Any
) -> None:
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


def test_mean_gaps_over_time_are_those_of_a_calculation_by_hand(planted_run: Any) -> None:
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

    def at(policy: Any, second: Any) -> Any:
        return gaps[policy][np.searchsorted(seconds, second, side="right") - 1]

    # before the first bounds; (8 - 2) / 8; (4 - 3) / 4; solved or stuck
    assert [at("a", second) for second in (0.5, 2.0, 4.0, 30.0)] == [1.0, 0.75, 0.25, 0.125]
    assert [at("b", second) for second in (0.5, 2.0, 4.0, 30.0)] == [1.0, 0.875, 0.625, 0.5]


def test_the_time_split_adds_up_to_the_time_inside_the_policy(planted_run: Any) -> None:
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


def test_heat_is_even_at_1_and_the_same_for_a_ratio_and_its_inverse() -> None:
    assert heat(1.0) == 0
    for ratio in (1.5, 3.0, 100.0):
        assert heat(ratio) > 0
        assert heat(1 / ratio) == pytest.approx(-heat(ratio), rel=1e-12)  # rounding of logarithms
    assert heat(0.0) == -1
    assert heat(float("nan")) == 0


@pytest.mark.parametrize("name", ["a", "relpscost:" + "initcand=10," * 12 + "maxreliable=1"])
def test_the_matrix_has_room_for_names_of_any_length(
    name: str, planted_run: Any, planted_results: Any, tmp_path: Path
) -> None:
    rows = [
        planted_run(policy, f"CA-easy/{n}.lp", time=time)
        for n in range(3)
        for policy, time in ((name, 1.0), ("b", 2.0))
    ]
    plot = heat_map_plot(planted_results(rows).summary().matrix)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of axes for which nothing is left
        present(plot).save(tmp_path)
