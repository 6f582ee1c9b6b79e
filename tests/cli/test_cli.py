"""The command line: names that other people's scripts rely on, exit codes, one line an error."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import run_afresh
from slow_parameters import slow

import milplib
from milplib.learn import SampleSet

from .conftest import content, fail, succeed


def test_collect_and_inspect_name_samples_and_trivial_choices(
    markets: Path, tmp_path: Path
) -> None:
    out = tmp_path / "samples"
    printed = succeed(
        "collect",
        markets,
        "--out",
        out,
        "--workers",
        2,
        "--samples-per-instance",
        3,
        "--expert-probability",
        0.5,
        "--seed",
        1,
        "--blocks",
        "pseudocost",
        "tree",
    )
    assert "samples of 3 instances" in printed
    assert sorted(path.name for path in out.iterdir()) == [
        "environment.json",
        "manifest.json",
        "shard-00000.arrow",
    ]
    assert {block.name for block in SampleSet(out).blocks} == {"pseudocost", "tree"}
    printed = succeed("samples", "inspect", out)
    for word in ("candidates a sample", "ties", "random", "most fractional", "pseudocost"):
        assert word in printed
    found = json.loads(succeed("samples", "inspect", out, "--json"))
    # An instance may give several trees.
    told = f"trees {found['trees']}, from {found['instances']} instances"
    assert told in " ".join(printed.split())
    assert found["samples"] == len(SampleSet(out))
    assert 0 < found["choices"]["random"]["accuracy"] < 1


@pytest.mark.slow
def test_collect_takes_a_flat_folder_and_several_folders(auctions: Path, tmp_path: Path) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    for path in (auctions / "train").glob("*-00000.lp"):
        (flat / "one.lp").write_bytes(path.read_bytes())
    succeed(
        "collect",
        flat,
        auctions,
        "--out",
        tmp_path / "s",
        "--samples-per-instance",
        1,
        "--expert-probability",
        0.5,
    )
    outcomes = {
        entry["instance"]: entry["outcome"]
        for entry in SampleSet(tmp_path / "s").manifest.instances
    }
    assert outcomes["flat/one.lp"] == "complete"
    assert outcomes["ca/train/CA-milplib-small-train-00000.lp"] == "duplicate"


def test_list_names_every_distribution_first_in_its_line() -> None:
    lines = succeed("list").splitlines()[1:]
    assert [line.split()[0] for line in lines] == [d.name for d in milplib.distributions()]


def test_list_can_be_narrowed_and_info_tells_what_is_known() -> None:
    lines = succeed("list", "--domain", "GISP", "--level", "easy").splitlines()[1:]
    assert [line.split()[0] for line in lines] == ["GISP-easy"]
    fail("list", "--domain", "GIPS", naming="did you mean GISP")
    told = succeed("info", "MMCN-hard-BI")
    assert "middle-mile" in told
    assert "limits/gap = 0.005" in told
    assert "CombinatorialAuction(n_items=300" in succeed("info", "CA-medium")
    fail("info", "CA-medum", naming="did you mean CA-medium")
    fail("generate", "OTS-easy", "--out", "nowhere", naming="'OTS-easy' cannot be generated")


def test_doctor_tells_versions_and_what_is_missing() -> None:
    report = json.loads(succeed("doctor", "--json"))
    assert report["healthy"]
    assert {"scip", "pyscipopt", "torch", "milplib", "python"} <= set(report["versions"])
    for finding in report["findings"]:
        assert finding["mend"]
    printed = succeed("doctor")
    assert "pyscipopt" in printed
    assert "everything that is needed works" in printed


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["generate"],
        ["collect"],
        ["samples"],
        ["samples", "inspect"],
        ["solve"],
        ["tree"],
        ["best-scip-rule"],
        ["natives"],
        ["list"],
        ["doctor"],
    ],
)
def test_help_is_printed_and_shows_defaults(command: list[str]) -> None:
    printed = succeed(*command, "--help")
    assert "Usage: milplib" in printed
    if command in (["generate"], ["collect"], ["solve"]):
        assert "[default: " in printed


def test_the_earlier_name_of_a_command_works_and_is_not_listed() -> None:
    assert (
        succeed("natives", "--help").splitlines()[2:]
        == (succeed("best-scip-rule", "--help").splitlines()[2:])
    )
    listed = succeed("--help")
    assert "best-scip-rule" in listed
    assert "natives" not in listed


def test_version_is_the_packages() -> None:
    assert succeed("--version").strip() == milplib.__version__


@pytest.mark.parametrize(
    ("arguments", "naming"),
    [
        (["genrate"], "generate"),
        (["generate", "CA-esy", "--out", "x"], "CA-easy"),
        (["generate", "CA-easy"], "--out"),
        (["generate", "CA-easy", "--out", "x", "--split", "tran"], "train"),
        (["generate", "CA-easy", "--out", "x", "--format", "cip"], "mps.gz"),
        (["generate", "CA-easy", "--out", "x", "--count", "0"], "at least 1"),
        (["generate", "CA-easy", "--out", "x", "--count", "many"], "--count"),
        (["generate", "CA-easy", "--out", "x", "--count", "1.5"], "--count"),
        (["solve", "a" * 300 + ".lp"], "too long"),
        (["collect", "a" * 300, "--out", "x"], "too long"),
        (["samples", "inspect", "a" * 300], "too long"),
        (["generate", "CA-easy", "--out", "x", "--seed", "-1"], "seed"),
        (["collect", "nowhere", "--out", "x"], "nowhere"),
        (["collect", ".", "--out", "x"], "no instance files"),
        (["samples", "inspect", "nowhere"], "nowhere"),
        (["samples", "inspect", "."], "manifest.json"),
        (["solve", "nowhere.lp"], "nowhere.lp"),
        (["solve", "."], "."),
        (["solve", "a.lp", "--policy", "relpcost"], "relpscost"),
        (["solve", "a.lp", "--setting", "defualt"], "default"),
        (["solve", "a.lp", "--time-limit", "0"], "time limit"),
        (["solve", "a.lp", "--time-limit", "nan"], "time limit"),
        (["solve", "a.lp", "--seed", "-1"], "seed"),
        (["solve", "a.lp", "--sede", "1"], "--seed"),
        (["solve", "a.txt"], ".mps"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], naming: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    needs_file = "a.lp" in arguments
    if needs_file:
        (folder / "a.lp").write_text("minimize\nOBJ: x\nsubject to\nC: x >= 1.5\nEnd\n")
    fail(*arguments, naming=naming)
    assert [path.name for path in folder.iterdir()] == ["a.lp"] * needs_file


def test_debug_shows_the_traceback_and_keeps_the_exit_code(tmp_path: Path) -> None:
    done = run_afresh("solve", tmp_path / "nowhere.lp", "--debug")
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert "InstanceError" in done.stderr


def test_an_output_folder_that_is_not_ours_is_left_alone(auctions: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    (mine / "train").mkdir(parents=True)
    (mine / "train" / "thesis.tex").write_text("years")
    fail("generate", "CA-milplib-small", "--out", mine, "--count", 1, naming="not empty")
    fail("collect", auctions, "--out", mine, naming="not empty")
    assert content(mine) == {"thesis.tex": b"years"}
    (tmp_path / "file").write_text("x")
    fail("collect", auctions, "--out", tmp_path / "file", naming="is a file")
    fail("generate", "CA-milplib-small", "--out", tmp_path / "file", naming="is a file")


@pytest.mark.slow
def test_one_unreadable_file_among_others_is_listed_and_only_unreadable_ones_exit_2(
    auctions: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "garbage.mps.gz").write_bytes(b"\x00\xff" * 100)
    fail("collect", folder, "--out", tmp_path / "none", naming="garbage.mps.gz")
    assert not (tmp_path / "none").exists()
    good = next((auctions / "train").glob("*.lp"))
    (folder / "good.lp").write_bytes(good.read_bytes())
    printed = succeed(
        "collect",
        folder,
        "--out",
        tmp_path / "some",
        "--samples-per-instance",
        1,
        "--expert-probability",
        0.5,
    )
    assert "garbage.mps.gz: unreadable" in printed


def test_a_reader_that_leaves_early_is_no_error() -> None:
    done = subprocess.run(
        f"{sys.executable} -m milplib.cli list | head -n 1",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.stdout.startswith("name")


@pytest.mark.slow
def test_a_broken_core_package_is_found_by_doctor_and_named(tmp_path: Path) -> None:
    for package in ("pyscipopt", "pyarrow"):
        (tmp_path / package / package).mkdir(parents=True)
        (tmp_path / package / package / "__init__.py").write_text("raise ImportError('broken')")
        done = run_afresh("doctor", "--json", PYTHONPATH=str(tmp_path / package))
        assert done.returncode == 1, done.stderr
        report = json.loads(done.stdout)
        assert not report["healthy"]
        assert report["findings"][0]["missing"] == package
        assert "broken" in report["findings"][0]["mend"]


def test_json_is_json_whatever_the_terminal() -> None:
    done = run_afresh("doctor", "--json", FORCE_COLOR="1")
    assert json.loads(done.stdout)["healthy"]


@pytest.mark.parametrize("workers", [slow(1), 2])
def test_ctrl_c_ends_collect_with_130_and_one_word(
    workers: int, auctions: Path, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "milplib.cli",
            "collect",
            str(auctions),
            "--out",
            str(tmp_path / "s"),
            "--samples-per-instance",
            "500",
            "--expert-probability",
            "1",
            "--workers",
            str(workers),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "s" / "unfinished" / "manifest.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1.5)  # into the first solve
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert stderr.splitlines()[-1] == "milplib: interrupted; what was finished is kept"
