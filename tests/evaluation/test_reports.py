"""Reports that installed packages declare are written beside the results of an evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from installed_packages import InstallPackage

import milplib.evaluation
from milplib.errors import MilplibError, OutputError
from milplib.evaluation import evaluate
from milplib.evaluation.reports import report_writers
from milplib.generators import CombinatorialAuction
from milplib.report import write_report

SUMMARY = """
    def write_summary(results, path):
        rows = results.summary().rows
        path.write_text("".join(f"{row.policy}: {row.solved}\\n" for row in rows))
"""


@pytest.fixture
def summary_report(install_package: InstallPackage) -> None:
    install_package("milplib_test_report", SUMMARY, reports={"summary.txt": "write_summary"})


def test_the_page_is_milplibs_own_report() -> None:
    assert report_writers() == {"report.html": write_report}


@pytest.mark.usefixtures("summary_report")
@pytest.mark.slow
def test_a_report_of_another_package_is_written_and_guarded_like_the_page(tmp_path: Path) -> None:
    (tmp_path / "ca").mkdir()
    CombinatorialAuction(n_items=30, n_bids=100).generate(seed=0).write(tmp_path / "ca" / "a.lp")
    out = tmp_path / "out"
    out.mkdir()
    (out / "summary.txt").write_text("years of work")
    options: dict[str, Any] = {"policies": ["pscost"], "time_limit": 60, "out": out, "force": True}
    with pytest.raises(OutputError, match=r"holds a summary\.txt of something else"):
        evaluate([tmp_path / "ca"], **options)
    (out / "summary.txt").unlink()
    evaluate([tmp_path / "ca"], **options)
    assert (out / "summary.txt").read_text() == "pscost: 1\nrelpscost: 1\n"
    assert (out / "report.html").read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("name", ["runs.csv", "manifest.json", "traces.parquet", "../page.html"])
def test_a_report_cannot_have_the_name_of_the_results_or_leave_the_folder(
    name: str, install_package: InstallPackage
) -> None:
    install_package("milplib_test_clash", SUMMARY, reports={name: "write_summary"})
    with pytest.raises(MilplibError, match="is no name for a report"):
        report_writers()


def test_a_report_that_is_no_function_is_named(install_package: InstallPackage) -> None:
    install_package("milplib_test_text", "PAGE = 'text'", reports={"page.txt": "PAGE"})
    with pytest.raises(MilplibError, match=r"'page\.txt' of milplib\.reports is a str"):
        report_writers()


@pytest.mark.parametrize(
    ("name", "home"), [("write_report", "milplib.report"), ("SearchTree", "milplib.tree")]
)
def test_a_name_that_moved_is_told_with_its_new_home(name: str, home: str) -> None:
    with pytest.raises(AttributeError, match=rf"'{name}'; {name} moved to {home}"):
        getattr(milplib.evaluation, name)
    with pytest.raises(AttributeError, match=r"no attribute 'nothing'$"):
        _ = milplib.evaluation.nothing
