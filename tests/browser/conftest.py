"""A real browser without a window, and results to look at."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .page_checks import DESKTOP

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

FAMILIES = ("CA-milplib-small", "a folder of your own")
POLICIES = {
    "gcnn-mixed": 0.55,
    "<b>linear</b> & co": 0.8,
    "pscost": 1.02,
    "random": 2.6,
    "always-crashes": 1.0,
    "relpscost": 1.0,
}


def missing(reason: Any) -> None:
    """Skip, but where everything must be there."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (CI is set, so this must not be skipped)")
    pytest.skip(reason)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A running Chromium, driven by playwright, which can also use one that it did not fetch.

    It runs an event loop in this thread meanwhile, so it must be gone before other tests begin.
    """
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        missing("no Chromium in the path: install Debian's package chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright is not installed: pip install playwright")
    # Chromium refuses to start its sandbox as root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


def planted_rows(*, n_instances: int = 6, n_seeds: int = 2) -> Any:
    """Rows of runs, times drawn around each policy's own factor; some runs fail."""
    random = np.random.RandomState(7)
    rows = []
    for family in FAMILIES:
        for n in range(n_instances):
            base = np.exp(random.normal(1.5, 0.7))
            for seed in range(n_seeds):
                for policy, factor in POLICIES.items():
                    time = base * factor * np.exp(random.normal(0, 0.2))
                    failure = "crash" if policy == "always-crashes" else ""
                    failure = failure or ("time limit" if time > 20 else "")
                    native = policy in ("pscost", "random", "relpscost")
                    inside = 0.3 * time if policy == "relpscost" else 0.05 * time
                    rows.append({
                        "policy": policy,
                        "instance": f"{family}/test/{family}-{n:05d}.mps.gz",
                        "distribution": family,
                        "seed": seed,
                        "setting": "default",
                        "status": "timelimit" if failure else "optimal",
                        "failure": failure,
                        "failure_detail": "the process ended with exit code -11" * bool(failure),
                        "objective": None if failure else 100.0 + n,
                        "dual_bound": 100.0 + n,
                        "gap": 0.0,
                        "time": min(time, 20.0),
                        "cpu_time": min(time, 20.0),
                        "policy_time": inside,
                        "observe_time": 0.0 if native else 0.3 * inside,
                        "score_time": 0.0 if native else 0.5 * inside,
                        "branch_time": 0.0 if native else 0.1 * inside,
                        "policy_calls": int(40 * time) + 1,
                        "nodes": int(80 * time) + 1,
                        "fair_nodes": int(100 * time) + 1,
                        "lp_iterations": int(900 * time),
                        "strong_branching_iterations": 0 if native else 10,
                        "time_limit": 20.0,
                        "instance_hash": f"hash of {family} {n}",
                        "milplib_version": "1",
                        "scip_version": "10",
                        "host": "here",
                    })  # fmt: skip
    return rows


def planted_traces(rows: Any) -> Any:
    """For every run three moments: nothing, a bad solution, the end."""
    import pyarrow as pa

    traces = [
        {"policy": row["policy"], "instance": row["instance"], "seed": row["seed"], "time": time,
         "primal": primal, "dual": dual}
        for row in rows
        for time, primal, dual in (
            (0.02, None, 80.0),
            (0.1 * row["time"], 150.0, 90.0),
            (row["time"], 101.0, 101.0 - 5 * bool(row["failure"])),
        )
    ]  # fmt: skip
    return pa.Table.from_pylist(traces)


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The page of an evaluation with failures and an odd policy name, and its path."""
    from milplib.evaluation import Evaluation
    from milplib.evaluation.table import check_table, run_table
    from milplib.report import write_report

    rows = planted_rows()
    instances = list(dict.fromkeys((row["instance"], row["distribution"]) for row in rows))
    results = Evaluation(
        table=check_table(run_table(rows), where="the rows"),
        traces=planted_traces(rows),
        policies=tuple(POLICIES),
        baseline="relpscost",
        config={
            "policies": [{"label": p, "kind": "rule", "sha256": "0" * 64} for p in POLICIES],
            "baseline": "relpscost",
            "instances": [
                {
                    "name": name,
                    "distribution": of,
                    "sha256": "f" * 64,
                    "known_status": "",
                    "known_objective": None,
                }
                for name, of in instances
            ],
            "seeds": [0, 1],
            "setting": "default",
            "time_limit": 20.0,
        },
        software={"milplib": "1", "pyscipopt": "6", "scip": "10"},
        expected_runs=len(rows) + 6,
    )
    return write_report(results, tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture
def open_page(chromium: Any) -> Iterator[Any]:
    """Open a page; in the end nothing may have been asked for but pages, and nothing said."""
    contexts, opened, asked, said = [], set(), [], []

    def open_page(
        path: Path, *, scheme: str = "light", size: Any = DESKTOP, media: Any = None
    ) -> Any:
        opened.add(path.as_uri())
        context = chromium.new_context(viewport=size, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(path.as_uri())
        if media:
            page.emulate_media(media=media, color_scheme=scheme)
        # What is folded in is to be seen, too.
        page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert set(asked) == opened
    assert said == []
