"""``solve`` with policies of every kind, and ``policy info``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import run_afresh, run_forked

from milplib.generators import CombinatorialAuction, SetCover
from milplib.policies import PolicyFile, gcnn_shapes, write_policy

OBJECTIVE = "2444.7621933"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("policy")
    CombinatorialAuction(n_items=40, n_bids=100).generate(seed=0).write(folder / "a.lp")
    rng = np.random.RandomState(0)
    tensors = {
        name: rng.normal(scale=0.2, size=shape).astype(np.float32)
        for name, shape in gcnn_shapes(8).items()
    }
    content = PolicyFile(
        architecture="gcnn",
        hyperparameters={"hidden": 8},
        tensors=tensors,
        provenance={"epochs": 3, "data": [{"name": "ca", "samples": 7}], "loss": {"name": "hard"}},
    )
    write_policy(folder / "drawn.safetensors", content)
    (folder / "mine.py").write_text(
        "def lowest(state):\n    return -state.candidates\n"
        "def broken(state):\n    raise ZeroDivisionError('in the policy')\n"
    )
    (folder / "cut.safetensors").write_bytes((folder / "drawn.safetensors").read_bytes()[:-5])
    return folder


def run(folder: Path, *arguments: str, code: int = 0, afresh: bool = False) -> str:
    if afresh:
        done = run_afresh(*arguments, cwd=folder, PYTHONWARNINGS="error")
    else:
        done = run_forked(*arguments, cwd=folder, warnings_are_errors=True)
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.mark.parametrize("policy", ["drawn.safetensors", "mine:lowest", "pscost"])
def test_solve_takes_a_file_a_function_and_a_rule(folder: Path, policy: str) -> None:
    # The file's solve imports all that is needed, too, without a warning.
    printed = run(
        folder, "solve", "a.lp", "--policy", policy, afresh=policy.endswith(".safetensors")
    )
    assert OBJECTIVE in printed
    assert "policy errors" not in printed
    nodes = next(line for line in printed.splitlines() if line.startswith("policy time"))
    assert int(nodes.split()[-2]) > 0


@pytest.mark.slow
def test_solve_says_where_a_policy_failed_or_stops_with_its_error(folder: Path) -> None:
    printed = run(folder, "solve", "a.lp", "--policy", "mine:broken")
    assert OBJECTIVE in printed
    assert "policy errors" in printed
    error = run(folder, "solve", "a.lp", "--policy", "mine:broken", "--on-error", "raise", code=1)
    assert "ZeroDivisionError: in the policy" in error.splitlines()[-1]
    debug = run(
        folder, "--debug", "solve", "a.lp", "--policy", "mine:broken", "--on-error=raise", code=1
    )
    assert "mine.py" in debug


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("relpscst", "did you mean relpscost"),
        ("none.safetensors", "there is no policy file"),
        ("cut.safetensors", "cut off"),
        ("a.lp", "not a policy file"),
        ("mine:none", "cannot be imported"),
    ],
)
def test_what_is_no_policy_is_one_line(folder: Path, policy: str, message: str) -> None:
    error = run(folder, "solve", "a.lp", "--policy", policy, code=2)
    assert len(error.splitlines()) == 1
    assert message in error


def test_policy_info_describes_a_file(folder: Path) -> None:
    printed = run(folder, "policy", "info", "drawn.safetensors")
    for words in ("gcnn (8 hidden)", "data[0].samples", "loss.name"):
        assert words in printed
    found = json.loads(run(folder, "policy", "info", "drawn.safetensors", "--json"))
    assert found["provenance"]["epochs"] == 3
    assert found["bytes"] == (folder / "drawn.safetensors").stat().st_size
    assert "cut off" in run(folder, "policy", "info", "cut.safetensors", code=2)


def test_the_clean_setting_needs_the_optimum_and_then_finds_it(folder: Path) -> None:
    arguments = ("solve", "a.lp", "--setting", "clean", "--policy", "mostinf")
    assert "reference_objective" in run(folder, *arguments, code=2)
    printed = run(folder, *arguments, "--reference-objective", OBJECTIVE)
    assert OBJECTIVE in printed


def test_what_auto_picks_and_why_is_printed(folder: Path) -> None:
    SetCover(n_rows=50, n_columns=60, density=0.1).generate(seed=0).write(folder / "cover.mps")
    (folder / "bad.lp").write_text("Minimize\n obj: 2,5 x\nEnd\n")
    CombinatorialAuction(n_items=50, n_bids=200).generate(seed=0).write(folder / "large.lp")

    assert "gcnn-auctions (family: auctions)" in run(folder, "policy", "pick", "large.lp")
    picked = json.loads(run(folder, "policy", "pick", "cover.mps", "--json"))
    assert (picked["policy"], picked["reason"]) == ("relpscost", "no family")
    assert picked["detail"].startswith("nearest set covers, outside in ")
    assert "relpscost (no family: nearest" in run(folder, "policy", "pick", "cover.mps")
    printed = run(folder, "solve", "cover.mps", "--policy", "auto")
    assert "picked relpscost (no family: nearest set covers" in " ".join(printed.split())
    assert "picked" not in run(folder, "solve", "cover.mps", "--policy", "pscost")
    for missing in ("none.lp", "bad.lp"):
        assert missing in run(folder, "policy", "pick", missing, code=2)


def test_policy_info_describes_auto(folder: Path) -> None:
    printed = run(folder, "policy", "info", "auto")
    for words in ("family auctions", "gcnn-auctions", "SCIP's own rule", "policy pick FILE"):
        assert words in printed
    found = json.loads(run(folder, "policy", "info", "auto", "--json"))
    assert {"name": "auctions", "policy": "gcnn-auctions"} in found["families"]
    assert found["otherwise"] == "SCIP's own rule"
