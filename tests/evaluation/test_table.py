"""Tables that are damaged or foreign are refused with what is wrong; whole ones come back equal."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from milplib.errors import ResultsError
from milplib.evaluation import COLUMNS, Evaluation
from milplib.evaluation.paired import PairedRuns
from milplib.evaluation.table import check_table, read_table, run_table, write_table


def test_what_is_written_is_read_and_the_csv_says_the_same(
    planted_run: Callable[..., Any], tmp_path: Path
) -> None:
    rows = [
        planted_run("a", "ca/0.lp", failure_detail='says "no", twice\nor more'),
        planted_run("b", "ca/0.lp", failure="crash", time=None, objective=None, gap=math.inf),
    ]
    table = run_table(rows)
    assert write_table(table, tmp_path) == ("runs.parquet", "runs.csv")
    assert read_table(tmp_path / "runs.parquet").equals(table)
    options = pyarrow.csv.ParseOptions(newlines_in_values=True)
    text = pyarrow.csv.read_csv(tmp_path / "runs.csv", parse_options=options)
    assert text.column_names == list(COLUMNS)
    assert text.column("failure_detail")[0].as_py() == 'says "no", twice\nor more'
    assert text.column("objective").to_pylist() == [5.0, None]
    assert text.column("gap").to_pylist() == [0.0, math.inf]


def test_every_column_says_what_it_means() -> None:
    schema = run_table([]).schema
    assert all(schema.field(name).metadata[b"description"] for name in COLUMNS)


@pytest.mark.parametrize("name", ["policy", "seed", "failure", "time_limit"])
def test_a_table_without_a_column_that_it_needs_is_refused_by_name(
    name: str, planted_run: Callable[..., Any]
) -> None:
    table = run_table([planted_run("a", "x")]).drop_columns([name])
    with pytest.raises(ResultsError, match=f"no column '{name}'"):
        check_table(table, where="the table")


def test_a_table_of_an_older_version_gets_the_columns_that_it_lacks(
    planted_run: Callable[..., Any],
) -> None:
    table = run_table([planted_run("a", "x")]).drop_columns(["peak_memory", "order"])
    checked = check_table(table, where="the table")
    assert checked.column("peak_memory").null_count == 1


@pytest.mark.parametrize(
    ("planted", "words"),
    [
        ({"time": -1.0}, "time -1.0"),
        ({"time": math.nan}, "time nan"),
        ({"time_limit": math.nan}, "time_limit nan"),
        ({"time_limit": math.inf}, "time_limit inf"),
        ({"nodes": -20}, "nodes -20"),
        ({"lp_iterations": -1}, "lp_iterations -1"),
        ({"objective": math.nan}, "objective nan"),
        ({"objective": math.inf}, "objective inf"),
        ({"time": None}, "no time"),
        ({"policy": None}, "no 'policy'"),
    ],
)
def test_impossible_values_are_refused(
    planted: dict[str, Any], words: str, planted_run: Callable[..., Any]
) -> None:
    with pytest.raises(ResultsError, match=words):
        check_table(run_table([planted_run("a", "x") | planted]), where="the table")


def test_a_run_that_occurs_twice_is_refused_by_name(planted_run: Callable[..., Any]) -> None:
    table = run_table([planted_run("a", "x", 3), planted_run("a", "x", 3)])
    with pytest.raises(ResultsError, match="a on x with seed 3 occurs 2 times"):
        check_table(table, where="the table")


def test_a_column_of_another_type_is_refused(planted_run: Callable[..., Any]) -> None:
    table = run_table([planted_run("a", "x")])
    place = table.column_names.index("seed")
    table = table.set_column(place, "seed", pa.array(["zero"]))
    with pytest.raises(ResultsError, match="'seed' is of type string"):
        check_table(table, where="the table")


@pytest.mark.parametrize("content", [b"", b"garbage", b"PAR1" + bytes(100)])
def test_a_file_that_is_no_parquet_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "runs.parquet"
    path.write_bytes(content)
    with pytest.raises(ResultsError, match=r"runs\.parquet"):
        read_table(path)


def test_a_file_that_is_cut_off_is_refused(planted_run: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "runs.parquet"
    pq.write_table(run_table([planted_run("a", "x")]), path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ResultsError, match=r"runs\.parquet"):
        read_table(path)


@pytest.mark.parametrize(
    "manifest",
    [
        None,
        "{",
        "[]",
        '{"format": "milplib-sample-set"}',
        '{"format": "milplib-evaluation", "version": 99}',
        '{"format": "milplib-evaluation", "version": 1}',
        '{"format": "milplib-evaluation", "version": 1, "software": {}, "files": {}, '
        '"config": {"policies": 3}}',
    ],
)
def test_a_folder_that_holds_no_results_is_refused(manifest: str | None, tmp_path: Path) -> None:
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(ResultsError, match=r"manifest\.json"):
        Evaluation.load(tmp_path)
    with pytest.raises(ResultsError, match="does not exist"):
        Evaluation.load(tmp_path / "nowhere")


def test_selected_columns_are_those_of_the_selected_runs() -> None:
    """Columns are computed on first use; a selection of a selection sees the same numbers."""
    rows = [
        {
            "policy": policy,
            "instance": f"{distribution}/{number}",
            "distribution": distribution,
            "seed": seed,
            "failure": "",
            "time": 1.0 + number,
            "time_limit": 60.0,
            "nodes": 10 * number + seed,
        }
        for policy in ("pscost", "mine")
        for distribution in ("CA", "SC")
        for number in range(3)
        for seed in range(2)
        if (policy, number, seed) != ("mine", 0, 0)
    ]
    runs = PairedRuns.of(run_table(rows))
    common = runs.of_distribution("SC").in_common()
    assert set(common.columns) == set(runs.columns) >= {"nodes", "time", "time_limit", "gap"}
    assert np.isnan(common.columns["nodes"]).sum() == 2
    expected = np.where(
        common.present, runs.columns["nodes"][:, runs.distributions == "SC"], np.nan
    )
    np.testing.assert_array_equal(common.nodes, expected)
    assert common.columns["nodes"] is common.columns["nodes"]
    with pytest.raises(KeyError, match="host"):
        assert not common.columns["host"].any()
