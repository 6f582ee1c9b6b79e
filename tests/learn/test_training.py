"""Training: it learns, it is repeatable, it survives being killed, and bad input is one line."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from command_line import start_forked
from market_split import market_split
from narrowing import present
from slow_parameters import slow

import milplib
from milplib.errors import (
    MissingPackageError,
    OutputError,
    ParameterError,
    SampleError,
    UnknownNameError,
)
from milplib.evaluation import evaluate
from milplib.generators import CombinatorialAuction
from milplib.learn import TrainingResult, collect, train
from milplib.learn.samples.sample_set import SampleSet
from milplib.learn.training.losses import HardLabels
from milplib.library import InstanceGenerator
from milplib.policies import read_policy

SMALL: dict[str, Any] = {"hidden": 8, "batch_size": 4}


@pytest.fixture(scope="module")
def auctions(sample_sets: dict[str, SampleSet]) -> Path:
    return sample_sets["auction"].folder


@pytest.fixture(scope="module")
def trained(auctions: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    """A training to its end: the policy's bytes are what others are compared with."""
    out = tmp_path_factory.mktemp("trained") / "policy.safetensors"
    return train([auctions], out=out, epochs=6, seed=3, **SMALL)


def test_a_training_leaves_a_policy_a_log_and_a_curve(trained: TrainingResult) -> None:
    assert milplib.load_policy(trained.policy).name == "policy"
    with open(present(trained.folder) / "log.csv") as stream:
        lines = list(csv.DictReader(stream))
    assert [int(line["epoch"]) for line in lines] == list(range(1, 7))
    losses = [float(line["validation_loss"]) for line in lines]
    assert losses.index(min(losses)) + 1 == trained.best_epoch
    assert (present(trained.folder) / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert not (present(trained.folder) / "checkpoint.safetensors").exists()


def test_the_policy_file_says_where_it_comes_from_but_no_host_and_no_path(
    trained: TrainingResult, auctions: Path
) -> None:
    provenance = read_policy(trained.policy).provenance
    assert provenance["data"]["training"][0]["samples"] == trained.training_samples
    assert provenance["validation"]["samples"] == trained.metrics.samples
    assert provenance["epochs"] == 6
    assert str(auctions.parent) not in str(provenance)
    assert os.uname().nodename not in str(provenance)


@pytest.mark.slow
def test_an_evaluation_finds_the_instances_that_a_policy_file_has_seen(
    trained: TrainingResult, auctions: Path, auction: InstanceGenerator, tmp_path: Path
) -> None:
    seen = read_policy(trained.policy).provenance["data"]["instance_hashes"]
    hashes = {tree.instance_hash for s in SampleSet(auctions).manifest.shards for tree in s.trees}
    assert {name[:16] for name in hashes} == {*seen["training"], *seen["validation"]}
    assert not {*seen["training"]} & {*seen["validation"]}
    test = tmp_path / "test"
    test.mkdir()
    instance = auction.generate(0)
    instance.write(test / "0.lp")
    CombinatorialAuction(n_items=30, n_bids=100).generate(0).write(test / "new.lp")
    results = evaluate([test], policies=[trained.policy], time_limit=60, out=tmp_path / "r")
    (error,) = results.summary().errors
    role = "training" if instance.content_hash[:16] in seen["training"] else "validation"
    assert f"test/0.lp is among the {role} instances of policy" in error
    mine, base = results.summary().rows
    assert (mine.failures, mine.solved) == ({"leak": 1}, 1)
    assert (base.failures, base.solved) == ({}, 2)


def test_held_out_instances_are_judged_on_and_not_trained_on(
    trained: TrainingResult, sample_sets: dict[str, SampleSet]
) -> None:
    total = len(sample_sets["auction"])
    assert trained.training_samples + trained.metrics.samples == total
    assert trained.metrics.samples == 4  # all samples of one of six instances


@pytest.mark.slow
def test_equal_arguments_give_equal_bytes_and_another_seed_others(
    trained: TrainingResult, auctions: Path, tmp_path: Path
) -> None:
    again = train([auctions], out=tmp_path / "again.safetensors", epochs=6, seed=3, **SMALL)
    assert again.policy.read_bytes() == trained.policy.read_bytes()
    other = train([auctions], out=tmp_path / "other.safetensors", epochs=6, seed=4, **SMALL)
    assert other.policy.read_bytes() != trained.policy.read_bytes()


SCRIPT = """
import sys
from milplib.learn import train
train([sys.argv[1]], out=sys.argv[2], epochs=6, seed=3, hidden=8, batch_size=4)
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_training_goes_on_to_the_same_policy(
    trained: TrainingResult, auctions: Path, tmp_path: Path, how: Any
) -> None:
    out = tmp_path / "policy.safetensors"
    # Slowed down at the log, which is written after each epoch: a real kill in the middle.
    slow = SCRIPT.replace(
        "train([",
        "import milplib.learn.training.folder as f, time\n"
        "write = f.TrainingFolder.write_log\n"
        "f.TrainingFolder.write_log = lambda *a: (write(*a), time.sleep(1))\n"
        "train([",
    )
    process = start_forked(auctions, out, code=slow, streams=tmp_path)
    log = out.with_name("policy.safetensors.training") / "log.csv"
    deadline = time.monotonic() + 60
    while not (log.exists() and len(log.read_text().splitlines()) >= 3):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert process.pid is not None
    os.kill(process.pid, how)
    process.join(60)
    assert process.exitcode not in (None, 0)
    assert not out.exists()
    with pytest.raises(OutputError, match="other arguments"):
        train([auctions], out=out, epochs=6, seed=9, **SMALL)

    result = train([auctions], out=out, epochs=6, seed=3, **SMALL)

    assert out.read_bytes() == trained.policy.read_bytes()
    assert [record.epoch for record in result.history] == list(range(1, 7))


def test_it_learns(sample_sets: dict[str, SampleSet], tmp_path: Path) -> None:
    """On a few samples, judged on those of another instance: better than chance by far."""
    result = train(
        [sample_sets["auction"].folder],
        out=tmp_path / "p.safetensors",
        epochs=30,
        seed=0,
        hidden=16,
        batch_size=8,
        learning_rate=0.005,
        stop_after=30,
    )
    first, last = result.history[0], result.history[-1]
    assert last.training_loss < 0.5 * first.training_loss


def test_several_sets_are_mixed_and_judged_one_by_one(
    sample_sets: dict[str, SampleSet], tmp_path: Path
) -> None:
    folders = [sample_sets[name].folder for name in ("auction", "independent_set")]
    result = train(folders, out=tmp_path / "p.safetensors", epochs=2, **SMALL)
    assert [name for name, _ in result.by_set] == [folder.name for folder in folders]
    assert sum(metrics.samples for _, metrics in result.by_set) == result.metrics.samples
    sets = read_policy(result.policy).provenance["data"]["training"]
    assert [found["name"] for found in sets] == [folder.name for folder in folders]


@pytest.mark.parametrize(
    "options",
    [slow({"loss": "soft"}), slow({"blocks": ("pseudocost", "tree")}), {"sums": "relative"}],
)
def test_options_reach_the_policy(options: dict[str, Any], auctions: Path, tmp_path: Path) -> None:
    result = train([auctions], out=tmp_path / "p.safetensors", epochs=1, **SMALL, **options)
    content = read_policy(result.policy)
    assert content.provenance["loss"] == options.get("loss", "hard")
    assert tuple(block.name for block in content.blocks) == options.get("blocks", ())
    assert content.hyperparameters.get("sums", "absolute") == options.get("sums", "absolute")
    instance = milplib.generators.CombinatorialAuction(n_items=50, n_bids=150).generate(seed=0)
    solved = milplib.solve(instance, policy=result.policy, on_error="raise")
    assert solved.status == "optimal"
    assert solved.policy_calls > 0


def test_a_loss_of_ones_own_is_used(auctions: Path, tmp_path: Path) -> None:
    class Margin:
        name = "margin"

        def __call__(self, scores: Any, batch: Any) -> Any:
            return HardLabels()(scores * 2, batch)

    result = train([auctions], out=tmp_path / "p.safetensors", epochs=1, loss=Margin(), **SMALL)
    assert read_policy(result.policy).provenance["loss"] == "margin"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"loss": "hrad"}, UnknownNameError, "did you mean hard"),
        ({"mixture": "balancd"}, UnknownNameError, "did you mean balanced"),
        ({"device": "gpu"}, UnknownNameError, "device"),
        ({"epochs": 0}, ParameterError, "at least 1"),
        ({"learning_rate": float("nan")}, ParameterError, "learning_rate is nan"),
        ({"sums": "mean"}, ParameterError, "must be absolute or relative"),
        ({"blocks": ("none",)}, SampleError, "none"),
    ],
)
def test_bad_options_are_refused_before_anything_is_written(
    options: dict[str, Any], error: type, message: str, auctions: Path, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        train([auctions], out=tmp_path / "p.safetensors", **options)
    assert not any(tmp_path.iterdir())


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_cuda_asked_for_and_not_there_is_refused(auctions: Path, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="cuda"):
        train([auctions], out=tmp_path / "p.safetensors", device="cuda")


def test_an_empty_data_set_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "a.lp").write_text("minimize OBJ: x\nsubject to\nC: x >= 1.5\nEnd\n")
    samples = collect([tmp_path / "a"], out=tmp_path / "a.samples")
    assert len(samples) == 0
    with pytest.raises(SampleError, match=r"a\.samples holds no samples"):
        train([samples.folder], out=tmp_path / "p.safetensors")
    with pytest.raises(SampleError, match="no training samples"):
        train([], out=tmp_path / "p.safetensors")


def test_validation_that_shares_instances_with_training_is_refused(
    auctions: Path, tmp_path: Path
) -> None:
    with pytest.raises(SampleError, match="auction-0"):
        train([auctions], validation=[auctions], out=tmp_path / "p.safetensors")


def test_one_instance_cannot_be_split(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    market_split(0).write(folder / "a.lp")
    samples = collect([folder], out=tmp_path / "s", samples_per_instance=2, expert_probability=1.0)
    with pytest.raises(SampleError, match="instance"):
        train([samples.folder], out=tmp_path / "p.safetensors")


def test_an_existing_policy_is_kept_without_force(trained: TrainingResult, auctions: Path) -> None:
    before = trained.policy.read_bytes()
    with pytest.raises(OutputError, match="already there"):
        train([auctions], out=trained.policy, epochs=1, **SMALL)
    assert trained.policy.read_bytes() == before


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["offline", "disabled"])
def test_wandb_writes_offline_or_nothing(
    mode: str, auctions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", mode)
    monkeypatch.setenv("WANDB_SILENT", "true")
    code = (
        "import sys; from milplib.learn import train; "
        "train([sys.argv[1]], out='p.safetensors', epochs=2, hidden=8, track=True)"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(auctions)], cwd=tmp_path, check=True, timeout=240
    )
    assert (tmp_path / "p.safetensors").is_file()
    runs = list((tmp_path / "p.safetensors.training").glob("wandb/offline-run-*/*.wandb"))
    assert len(runs) == (mode == "offline")


@pytest.mark.slow
def test_the_command_line_trains_and_says_how_good_it_is(auctions: Path, tmp_path: Path) -> None:
    shutil.copytree(auctions, tmp_path / "s")

    def run(*arguments: Any) -> Any:
        return subprocess.run(
            [sys.executable, "-m", "milplib.cli", *arguments],
            cwd=tmp_path, capture_output=True, text=True, timeout=240,
        )  # fmt: skip

    command = ("train", "s", "--out", "p.safetensors", "--epochs", "2", "--hidden", "8")
    done = run(*command)
    assert done.returncode == 0, done.stderr
    for words in ("accuracy@1", "accuracy@10", "score regret", "pseudocost", "random"):
        assert words in done.stdout
    again = run(*command)
    assert again.returncode == 2
    assert "already there" in again.stderr
    assert len(again.stderr.splitlines()) == 1
    for folder, word in (("none", "there is no folder"), (".", "not a folder of samples")):
        failed = run("train", folder, "--out", "q.safetensors")
        assert failed.returncode == 2
        assert word in failed.stderr


def test_tracking_without_wandb_is_refused_before_anything_is_written(
    auctions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)  # as if it were not installed
    with pytest.raises(MissingPackageError, match=r"milplib\[track\]"):
        train([auctions], out=tmp_path / "p.safetensors", track=True)
    assert not any(tmp_path.iterdir())


@pytest.mark.slow
def test_a_wandb_that_fails_does_not_cost_the_training(auctions: Path, tmp_path: Path) -> None:
    """Online without a key: what a cluster's node without a login sees."""
    code = (
        "import sys; from milplib.learn import train; "
        "train([sys.argv[1]], out='p.safetensors', epochs=2, hidden=8, track=True)"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("WANDB_")}
    environment |= {"WANDB_MODE": "online", "HOME": str(tmp_path), "NETRC": str(tmp_path / "none")}
    done = subprocess.run(
        [sys.executable, "-c", code, str(auctions)],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert "wandb failed" in done.stderr
    assert "training goes on without it" in done.stderr
    assert (tmp_path / "p.safetensors").is_file()
