"""Names of files with quotes, control characters and signs that mean something elsewhere."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from market_split import market_split
from slow_parameters import slow_where

from milplib import Instance
from milplib.cli import main
from milplib.evaluation import Evaluation, evaluate
from milplib.hardness import HardnessResults

STEMS = (
    *("back\\slash", 'quo"te', "ta\tb", "new\nline", "re\rturn", "\x01one", "\x1b[31mred", "\x7f"),
    *("\x9b2J", "$x^{", "$\\frac{", "=1+1", "+1", "-a", "@SUM(A1)", "'", "`id`", "%s%n", "{0}"),
    *("[red]x[bold", "[link=a]", "a,b;c", "&amp;<b>", "\u202egnp", "\u2028", "überé \N{OX}"),
    *(" lead", "#!", "\\u0041\\"),
    '"problem_name": "x"}, "branchrules": {',
)


@pytest.fixture(scope="module")
def tiny() -> Instance:
    """An instance that SCIP solves at once, and branches on."""
    return market_split(3, n_columns=8, n_rows=1)


@pytest.fixture(scope="module")
def folder(tiny: Instance, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The instance under all names."""
    place = tmp_path_factory.mktemp("names") / "i"
    place.mkdir()
    tiny.write(place / "plain.lp")
    for stem in STEMS:
        shutil.copyfile(place / "plain.lp", place / f"{stem}.lp")
    return place


def run(*arguments: object) -> int:
    """Run a command in this process; return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def check_output(captured: pytest.CaptureFixture[str]) -> str:
    """No traceback, and no character that a terminal would obey."""
    printed = captured.readouterr()
    text = printed.out + printed.err
    assert "Traceback" not in text
    assert "unexpected" not in text
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    return printed.out


@pytest.mark.parametrize("stem", slow_where(STEMS[::2], STEMS))
def test_an_instance_of_any_name_is_solved_and_its_tree_drawn(
    stem: str, folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = folder / f"{stem}.lp"
    assert run("solve", file) == 0
    lines = dict(line.split(None, 1) for line in check_output(capfd).strip().split("\n"))
    assert lines["status"] == "optimal"
    assert lines["policy"]
    assert run("tree", file, "--out", tmp_path / f"{stem}.svg") == 0
    assert (tmp_path / f"{stem}.svg").stat().st_size
    check_output(capfd)


def test_a_tree_with_a_name_of_half_a_formula_is_drawn_as_a_picture(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for stem in ("$x^{", "$\\frac{", "ta\tb"):
        assert run("tree", folder / f"{stem}.lp", "--out", tmp_path / "a.png") == 0
        check_output(capfd)


@pytest.mark.slow
def test_samples_are_collected_from_instances_of_any_name(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from milplib.learn import SampleSet

    copies = tmp_path / "i"
    copies.mkdir()
    for number, stem in enumerate(STEMS):
        market_split(number, n_columns=10, n_rows=2).write(copies / f"{stem}.lp")
    options = ("--samples-per-instance", 1, "--expert-probability", 1)
    assert run("collect", copies, "--out", tmp_path / "s", *options) == 0
    check_output(capfd)
    samples = SampleSet(tmp_path / "s")
    assert len(samples.manifest.instances) == len(STEMS)
    assert "failed" not in {entry["outcome"] for entry in samples.manifest.instances}
    assert run("samples", "inspect", tmp_path / "s") == 0
    assert run("status", tmp_path / "s") == 0
    check_output(capfd)


def test_instances_of_any_name_are_measured(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run("measure", folder, "--statistics-only", "--out", tmp_path / "h") == 0
    check_output(capfd)
    names = {row["instance"] for row in HardnessResults.load(tmp_path / "h").rows}
    assert len(names) == len(STEMS) + 1
    assert run("status", tmp_path / "h") == 0
    check_output(capfd)


@pytest.mark.slow
def test_instances_of_any_name_are_evaluated_and_reported(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "r"
    code = run("evaluate", folder, "--policy", "relpscost", "--workers", 2, "--out", out)
    assert code == 0
    check_output(capfd)
    table = Evaluation.load(out).table
    assert len(table) == len(STEMS) + 1
    assert set(table.column("failure").to_pylist()) == {""}
    assert run("report", out) == 0
    check_output(capfd)
    for line in (out / "runs.csv").read_text(encoding="utf-8").split('"'):
        assert not line.startswith(("=", "+", "-a", "@"))


@pytest.mark.slow
def test_a_folder_of_any_name_is_measured_evaluated_and_reported(
    tiny: Instance, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    stem = "=1+1$x^{\x1b[31mta\tb"
    (tmp_path / stem).mkdir()
    tiny.write(tmp_path / stem / f"{stem}.lp")
    assert run("measure", tmp_path / stem, "--statistics-only", "--out", tmp_path / "h") == 0
    evaluate([tmp_path / stem], policies=["pscost"], time_limit=60, out=tmp_path / "r")
    assert run("report", tmp_path / "r") == 0
    check_output(capfd)
    assert (tmp_path / "r" / "figures").is_dir()
    summary = (tmp_path / "r" / "summary.csv").read_text(encoding="utf-8")
    assert "\n=" not in summary
    assert "'=1+1" in summary


def test_a_name_that_is_not_utf_8_is_read_or_refused_in_one_line(
    tiny: Instance, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    tiny.write(tmp_path / "plain.lp")
    os.rename(tmp_path / "plain.lp", tmp_path / os.fsdecode(b"\xff\xfe.lp"))
    assert run("solve", tmp_path / os.fsdecode(b"\xff\xfe.lp")) in (0, 2)
    assert len(capfd.readouterr().err.splitlines()) <= 1
