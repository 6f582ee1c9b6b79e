"""The command line: names that other people's scripts rely on, exit codes, one line an error."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest

import milplib
from milplib.learn import SampleSet
from milplib.library import instance_seed

from .conftest import fail, run, succeed


def content(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def auctions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("auctions") / "ca"
    succeed("generate", "CA-milplib-small", "--count", 3, "--seed", 5, "--out", folder)
    return folder


def test_generate_writes_a_split_and_a_manifest_that_reproduces_every_instance(auctions):
    manifest = json.loads((auctions / "train" / "manifest.json").read_text())
    files = sorted(path.name for path in (auctions / "train").glob("*.lp"))
    assert [entry["file"] for entry in manifest["instances"]] == files
    assert len(files) == 3
    generator = milplib.library.distribution("CA-milplib-small").generator
    for index, entry in enumerate(manifest["instances"]):
        seed = instance_seed("CA-milplib-small", split="train", seed=5, index=index)
        assert entry["seed"] == seed
        instance = milplib.read(auctions / "train" / entry["file"])
        assert generator.generate(seed).content_hash == instance.content_hash
        assert entry["content_hash"] == instance.content_hash
        assert entry["nonzeros"] == instance.n_nonzeros


def test_generate_in_other_formats_gives_the_same_instances(auctions, tmp_path):
    for form in ("lp.gz", "mps", "mps.gz"):
        out = tmp_path / form
        succeed(
            "generate",
            "CA-milplib-small",
            "--count",
            1,
            "--seed",
            5,
            "--out",
            out,
            "--format",
            form,
        )
        (path,) = (out / "train").glob(f"*.{form}")
        original = next(iter(sorted((auctions / "train").glob("*.lp"))))
        assert milplib.read(path).content_hash == milplib.read(original).content_hash


def test_a_larger_count_adds_and_a_smaller_one_or_another_seed_is_refused(tmp_path):
    out = tmp_path / "sc"
    succeed("generate", "SC-milplib-small", "--count", 2, "--out", out, "--split", "test")
    before = content(out)
    succeed("generate", "SC-milplib-small", "--count", 3, "--out", out, "--split", "test")
    after = content(out)
    assert len(after) == len(before) + 1
    assert all(after[name] == before[name] for name in before if name.endswith(".lp"))
    for other in (("--count", 1), ("--count", 3, "--seed", 1)):
        fail(
            "generate",
            "SC-milplib-small",
            *other,
            "--out",
            out,
            "--split",
            "test",
            naming="--force",
        )
        assert content(out) == after
    succeed(
        "generate",
        "SC-milplib-small",
        "--count",
        1,
        "--seed",
        1,
        "--out",
        out,
        "--split",
        "test",
        "--force",
    )
    assert len(content(out)) == 2


def test_splits_share_no_instance(tmp_path):
    hashes = []
    for split in ("train", "val", "test"):
        succeed("generate", "SC-milplib-small", "--count", 2, "--out", tmp_path, "--split", split)
        manifest = json.loads((tmp_path / split / "manifest.json").read_text())
        hashes += [entry["content_hash"] for entry in manifest["instances"]]
    assert len(set(hashes)) == 6


def test_collect_and_inspect_name_samples_and_trivial_choices(auctions, tmp_path):
    out = tmp_path / "samples"
    printed = succeed(
        "collect",
        auctions,
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
    assert found["samples"] == len(SampleSet(out))
    assert 0 < found["choices"]["random"]["accuracy"] < 1


@pytest.mark.slow
def test_collect_takes_a_flat_folder_and_several_folders(auctions, tmp_path):
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


OPTIMA = (
    "bell5",
    "blend2",
    "dcmulti",
    "egout",
    "enigma",
    "flugpl",
    "lseu",
    "MANN_a9.clq",
    "misc03",
    "p0548",
    "rgn",
    "stein27_inf",
    "cap41",
    "cap42",
)


@pytest.mark.parametrize("name", OPTIMA)
def test_solve_ends_with_the_known_optimum(name, test_data):
    with open(test_data / "miplib" / "optima.csv") as stream:
        rows = {row["instance"]: row for row in csv.DictReader(stream)}
    assert set(rows) == set(OPTIMA)
    path = next(p for p in (test_data / "miplib").iterdir() if p.name.startswith(f"{name}."))
    printed = dict(
        line.split(maxsplit=1)
        for line in succeed("solve", path).splitlines()
        if line.startswith(("status", "objective"))
    )
    assert printed["status"].strip() == rows[name]["status"]
    if rows[name]["objective"]:
        expected, found = float(rows[name]["objective"]), float(printed["objective"])
        assert abs(found - expected) <= 1e-6 * max(1, abs(expected))
    else:
        assert printed["objective"].strip() == "none"


@pytest.mark.parametrize(
    "policy", ["pscost", *(pytest.param(p, marks=pytest.mark.slow) for p in ("mostinf", "random"))]
)
def test_solve_uses_the_rule_that_it_is_told(policy, auctions):
    path = sorted((auctions / "train").glob("*.lp"))[0]
    optimum = [line for line in succeed("solve", path).splitlines() if "objective" in line]
    printed = succeed("solve", path, "--policy", policy, "--setting", "learn2branch")
    assert [line for line in printed.splitlines() if "objective" in line] == optimum
    assert f"{policy} (setting learn2branch, seed 0)" in printed


def test_solve_stops_at_its_time_limit_and_says_so(tmp_path):
    succeed("generate", "SC-hard", "--count", 1, "--out", tmp_path)
    (path,) = (tmp_path / "train").glob("*.lp")
    assert "time limit" in succeed("solve", path, "--time-limit", 2)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("maximize OBJ: x subject to C: x - y <= 1 general x y End", "unbounded"),
        ("minimize OBJ: x subject to C: x + y >= 3 D: x + y <= 2 general x y End", "infeasible"),
        ("minimize OBJ: x subject to C: x >= 1.5 End", "optimal"),
    ],
)
def test_infeasible_unbounded_and_integer_free_are_results(text, status, tmp_path):
    (tmp_path / "a.lp").write_text(
        text.replace(" subject", "\nsubject")
        .replace(" C:", "\nC:")
        .replace(" D:", "\nD:")
        .replace(" general", "\ngeneral\n")
        .replace(" End", "\nEnd\n")
    )
    assert status in succeed("solve", tmp_path / "a.lp")


def test_list_names_every_distribution_first_in_its_line():
    lines = succeed("list").splitlines()[1:]
    assert [line.split()[0] for line in lines] == [d.name for d in milplib.distributions()]


def test_list_can_be_narrowed_and_info_tells_what_is_known():
    lines = succeed("list", "--domain", "GISP", "--level", "easy").splitlines()[1:]
    assert [line.split()[0] for line in lines] == ["GISP-easy"]
    fail("list", "--domain", "GIPS", naming="did you mean GISP")
    told = succeed("info", "MMCN-hard-BI")
    assert "middle-mile" in told
    assert "limits/gap = 0.005" in told
    assert "CombinatorialAuction(n_items=300" in succeed("info", "CA-medium")
    fail("info", "CA-medum", naming="did you mean CA-medium")
    fail("generate", "OTS-easy", "--out", "nowhere", naming="'OTS-easy' cannot be generated")


def test_doctor_tells_versions_and_what_is_missing():
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
def test_help_is_printed_and_shows_defaults(command):
    printed = succeed(*command, "--help")
    assert "Usage: milplib" in printed
    if command in (["generate"], ["collect"], ["solve"]):
        assert "[default: " in printed


def test_the_earlier_name_of_a_command_works_and_is_not_listed():
    assert (
        succeed("natives", "--help").splitlines()[2:]
        == (succeed("best-scip-rule", "--help").splitlines()[2:])
    )
    listed = succeed("--help")
    assert "best-scip-rule" in listed
    assert "natives" not in listed


def test_version_is_the_packages():
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
def test_bad_input_is_one_line_and_exit_code_2(arguments, naming, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    needs_file = "a.lp" in arguments
    if needs_file:
        (folder / "a.lp").write_text("minimize\nOBJ: x\nsubject to\nC: x >= 1.5\nEnd\n")
    fail(*arguments, naming=naming)
    assert [path.name for path in folder.iterdir()] == ["a.lp"] * needs_file


def test_debug_shows_the_traceback_and_keeps_the_exit_code(tmp_path):
    done = run("solve", tmp_path / "nowhere.lp", "--debug")
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert "InstanceError" in done.stderr


def test_an_output_folder_that_is_not_ours_is_left_alone(auctions, tmp_path):
    mine = tmp_path / "mine"
    (mine / "train").mkdir(parents=True)
    (mine / "train" / "thesis.tex").write_text("years")
    fail("generate", "CA-milplib-small", "--out", mine, "--count", 1, naming="not empty")
    fail("collect", auctions, "--out", mine, naming="not empty")
    assert content(mine) == {"thesis.tex": b"years"}
    (tmp_path / "file").write_text("x")
    fail("collect", auctions, "--out", tmp_path / "file", naming="is a file")
    fail("generate", "CA-milplib-small", "--out", tmp_path / "file", naming="is a file")


def test_one_unreadable_file_among_others_is_listed_and_only_unreadable_ones_exit_2(
    auctions, tmp_path
):
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


def test_progress_is_silent_without_a_terminal(auctions, tmp_path):
    done = run("generate", "CA-milplib-small", "--count", 2, "--out", tmp_path)
    assert done.returncode == 0
    assert done.stderr == ""


def test_a_reader_that_leaves_early_is_no_error():
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


def test_a_broken_core_package_is_found_by_doctor_and_named(tmp_path):
    for package in ("pyscipopt", "pyarrow"):
        (tmp_path / package / package).mkdir(parents=True)
        (tmp_path / package / package / "__init__.py").write_text("raise ImportError('broken')")
        done = run("doctor", "--json", env=os.environ | {"PYTHONPATH": str(tmp_path / package)})
        assert done.returncode == 1, done.stderr
        report = json.loads(done.stdout)
        assert not report["healthy"]
        assert report["findings"][0]["missing"] == package
        assert "broken" in report["findings"][0]["mend"]


def test_json_is_json_whatever_the_terminal():
    done = run("doctor", "--json", env=os.environ | {"FORCE_COLOR": "1"})
    assert json.loads(done.stdout)["healthy"]


def test_generate_never_follows_a_path_in_a_manifest(tmp_path):
    out = tmp_path / "a" / "b"
    succeed("generate", "CA-milplib-small", "--count", 1, "--out", out)
    (tmp_path / "a" / "victim").write_text("keep")
    manifest = out / "train" / "manifest.json"
    content = json.loads(manifest.read_text())
    content["instances"][0]["file"] = "../../victim"
    manifest.write_text(json.dumps(content))
    succeed("generate", "CA-milplib-small", "--count", 1, "--seed", 9, "--out", out, "--force")
    assert (tmp_path / "a" / "victim").read_text() == "keep"


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_ends_collect_with_130_and_one_word(workers, auctions, tmp_path):
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
