"""Market split problems, and an evaluation of them that has run."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from market_split import market_split

from milplib.evaluation import COLUMNS, Evaluation, evaluate
from milplib.evaluation.traces import trace_table

from .faulty import FAMILIES, POLICIES

CHANGING = {"order", "host", "peak_memory", "primal_dual_integral"} | {
    name for name in COLUMNS if name.endswith("time")
}
"""Columns that two equal evaluations may differ in."""


def lasting(results: Any) -> Any:
    """The table without what depends on the clock and the machine."""
    return results.table.drop_columns(sorted(CHANGING)).to_pylist()


def content(folder: Path) -> dict[str, bytes]:
    """Files by name but the one that says where and when they were made."""
    files = (path for path in folder.iterdir() if path.is_file())
    return {path.name: path.read_bytes() for path in files if path.name != "environment.json"}


def by_policy(results: Any) -> Any:
    found: dict[Any, Any] = {}
    for row in results.table.to_pylist():
        found.setdefault(row["policy"], []).append(row)
    return found


@pytest.fixture(scope="module")
def markets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "ms"
    folder.mkdir()
    for seed in range(2):
        market_split(seed, n_columns=12).write(folder / f"{seed}.lp")
    return folder


@pytest.fixture(scope="module")
def plain(markets: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Evaluation, Path]:
    """An evaluation in which nothing happens: two rules, two instances, one worker."""
    out = tmp_path_factory.mktemp("plain") / "results"
    seen: list[Any] = []
    results = evaluate(
        [markets], policies=["pscost"], seeds=[3], time_limit=60, out=out, on_progress=seen.append
    )
    assert [progress.done for progress in seen] == [0, 2, 4]
    assert {(progress.total, progress.failed) for progress in seen} == {(4, 0)}
    return results, out


@pytest.fixture
def rows(planted_run: Any) -> list[dict[str, Any]]:
    """Times and nodes that scatter as those of real runs do: 8 instances a family, 3 seeds."""
    random = np.random.RandomState(7)
    made = []
    for family, level in FAMILIES.items():
        for n in range(8):
            hardness = level * math.exp(0.7 * random.randn())
            for seed in range(3):
                for policy, factor in zip(POLICIES, (0.8, 1.1, 1.0), strict=True):
                    time = hardness * factor * math.exp(0.3 * random.randn())
                    nodes = int(20 * time * math.exp(0.2 * random.randn())) + 1
                    trace = {"time": [time / 9, time], "primal": [9.0, 5.0], "dual": [1.0, 5.0]}
                    made.append(
                        planted_run(
                            policy,
                            f"{family}/{n}.lp",
                            seed,
                            time=time,
                            nodes=nodes,
                            fair_nodes=2 * nodes,
                            lp_iterations=30 * nodes,
                            strong_branching_iterations=nodes,
                            policy_time=time / 5,
                            trace=trace,
                        )
                    )
    return made


@pytest.fixture
def judge(planted_results: Any) -> Callable[..., Any]:
    def summary(rows: Any, policies: Any = POLICIES, **options: Any) -> Any:
        results = planted_results(rows, **options)
        return replace(
            results, policies=policies, baseline="base", traces=trace_table(rows)
        ).summary()

    return summary
