"""Commands killed at a random moment: the same command again gives the same, and all of it."""

from __future__ import annotations

import csv
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from command_line import run_forked, start_forked
from market_split import market_split

TIMED = ("time", "seconds", "memory", "host", "integral", "ratio", "p_", "order", "share", "wins")

RESULTS = "results/study/full"

STUDY = """\
distributions:
  mine: {source: FOLDER, train: 2, val: 1, test: 1}
collection: {samples_per_instance: 1, expert_probability: 1.0, max_episodes: 2}
models:
  linear: {}
  gcnn: {epochs: 2, hidden: 4, batches_per_epoch: 1}
evaluation: {policies: [pscost], time_limit: 60}
"""


def bytes_of(folder: Path, *patterns: str) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for pattern in patterns
        for path in sorted(folder.rglob(pattern))
        if path.is_file() and path.name not in ("environment.json", "lock")
    }


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Rows of a table without what a clock or the machine decides."""
    if path.suffix == ".parquet":
        rows = pq.read_table(path).to_pylist()
    else:
        with open(path, newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
    return [
        {name: value for name, value in row.items() if not any(part in name for part in TIMED)}
        for row in rows
    ]


def no_leftovers(out: Path) -> None:
    assert not list(out.rglob("unfinished"))
    assert not list(out.rglob("*.milplib-tmp"))


def generated(out: Path) -> Any:
    return bytes_of(out, "*")


def collected(out: Path) -> Any:
    no_leftovers(out)
    return bytes_of(out, "*")


def trained(out: Path) -> Any:
    assert not list(out.rglob("checkpoint.safetensors"))
    log = rows_of(out / "p.safetensors.training" / "log.csv")
    return bytes_of(out, "p.safetensors", "curve.png"), log


def evaluated(out: Path) -> Any:
    no_leftovers(out)
    assert (out / "report.html").stat().st_size
    return rows_of(out / "runs.parquet")


def measured(out: Path) -> Any:
    no_leftovers(out)
    return rows_of(out / "hardness.csv")


def studied(out: Path) -> Any:
    results = out / RESULTS
    record = json.loads((results / "study.json").read_text())["tasks"]
    facts = {
        entry["label"]: entry["facts"] for entry in record.values() if entry["stage"] == "train"
    }
    assert all(fact["by_distribution"] for fact in facts.values())
    # SCIP's symmetry detection depends on memory addresses, and so may the numbers of nodes.
    summary = [
        [row[name] for name in ("distribution", "policy", "runs", "solved", "failures")]
        for row in rows_of(results / "default-summary.csv")
    ]
    return bytes_of(results, "*.safetensors", "default-training.csv"), facts, summary, len(record)


@dataclass(frozen=True)
class Command:
    """A command with its inputs in a folder, and what must be equal in its output."""

    arguments: Callable[[Path, Path], list[object]]
    made: Callable[[Path], Any]


COMMANDS = {
    "generate": Command(
        lambda _, out: ["generate", "GISP-milplib-small", "--count", 12, "--out", out], generated
    ),
    "collect": Command(
        lambda inputs, out: [
            *("collect", inputs / "i", "--out", out, "--samples-per-instance", 2),
            *("--expert-probability", 1),
        ],
        collected,
    ),
    "train": Command(
        lambda inputs, out: [
            *("train", inputs / "s", "--out", out / "p.safetensors", "--epochs", 4),
            *("--hidden", 4, "--batches-per-epoch", 2),
        ],
        trained,
    ),
    "evaluate": Command(
        lambda inputs, out: [
            *("evaluate", inputs / "few", "--policy", "relpscost", "--out", out),
            *("--time-limit", 60),
        ],
        evaluated,
    ),
    "measure": Command(
        lambda inputs, out: ["measure", inputs / "few", "--time-limit", 60, "--out", out], measured
    ),
    "run": Command(
        lambda inputs, out: [
            # Studies beside each other reuse what the others have made.
            *("run", inputs / "study.yaml", "--data", out / "data", "--out", out / RESULTS)
        ],
        studied,
    ),
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Instances, samples and a study."""
    place = tmp_path_factory.mktemp("kills")
    first = 0
    for name, count in (("i", 20), ("few", 2), ("m/train", 2), ("m/val", 1), ("m/test", 1)):
        (place / name).mkdir(parents=True)
        for seed in range(first, first + count):
            instance = market_split(seed, n_columns=9 if name == "few" else 12)
            instance.write(place / name / f"{seed:02}.lp")
        first += count
    (place / "study.yaml").write_text(STUDY.replace("FOLDER", str(place / "m")))
    done = run_forked(*COMMANDS["collect"].arguments(place, place / "s"))
    assert done.returncode == 0, done.stderr
    return place


@pytest.fixture(scope="module")
def undisturbed(inputs: Path) -> Callable[[str], tuple[Any, float]]:
    """What a command makes without a kill, and its seconds."""
    known: dict[str, tuple[Any, float]] = {}

    def made(name: str) -> tuple[Any, float]:
        if name not in known:
            out = inputs / f"undisturbed {name}"
            out.mkdir()
            begin = time.monotonic()
            done = run_forked(*COMMANDS[name].arguments(inputs, out))
            assert done.returncode == 0, done.stderr
            known[name] = COMMANDS[name].made(out), time.monotonic() - begin
        return known[name]

    return made


def kill_and_repeat(name: str, seed: int, inputs: Path, expected: Any, out: Path) -> None:
    made, seconds = expected
    out.mkdir()
    arguments = COMMANDS[name].arguments(inputs, out)
    streams = out.with_name(f"{out.name} streams")
    streams.mkdir()
    process = start_forked(*arguments, streams=streams)
    process.join(float(np.random.RandomState(seed).uniform(0.02, 1.0)) * seconds)
    process.kill()
    process.join()
    done = run_forked(*arguments)
    finished = name == "train" and "already there" in done.stderr  # killed after its last file
    assert done.returncode == 0 or finished, (name, seed, done.stderr)
    assert COMMANDS[name].made(out) == made, (name, seed)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["generate", "collect", "train", "evaluate"])
def test_a_command_that_is_killed_and_repeated_makes_the_same(
    name: str, inputs: Path, undisturbed: Callable[[str], Any], tmp_path: Path
) -> None:
    for seed in range(2 if name in ("generate", "collect") else 1):
        kill_and_repeat(name, seed, inputs, undisturbed(name), tmp_path / str(seed))


@pytest.mark.nightly
@pytest.mark.parametrize("name", COMMANDS)
def test_a_hundred_kills_lose_nothing(
    name: str, inputs: Path, undisturbed: Callable[[str], Any], tmp_path: Path
) -> None:
    first = secrets.randbelow(2**31)
    print(f"{name}: seeds from {first}")
    for seed in range(first, first + 17):
        kill_and_repeat(name, seed, inputs, undisturbed(name), tmp_path / str(seed))


KILLED_AT_THE_CURVE = """
import os, signal, sys
from milplib.learn.training import folder
folder.draw_curve = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from milplib.cli import main
main(sys.argv[1:])
"""


@pytest.mark.slow
def test_a_training_that_is_killed_at_its_curve_is_finished_by_the_same_command(
    inputs: Path, undisturbed: Callable[[str], Any], tmp_path: Path
) -> None:
    arguments = COMMANDS["train"].arguments(inputs, tmp_path)
    killed = run_forked(*arguments, code=KILLED_AT_THE_CURVE)
    assert killed.returncode < 0
    assert (tmp_path / "p.safetensors").is_file()
    assert not (tmp_path / "p.safetensors.training" / "curve.png").exists()
    done = run_forked(*arguments)
    assert done.returncode == 0, done.stderr
    assert trained(tmp_path) == undisturbed("train")[0]


KILLED_BEFORE_THE_LEDGER = """
import os, signal, sys
from milplib.study.record import StudyRecord
keep = StudyRecord.keep
def kill(self, task, *arguments, **options):
    if task.stage == "train":
        os.kill(os.getpid(), signal.SIGKILL)
    keep(self, task, *arguments, **options)
StudyRecord.keep = kill
from milplib.cli import main
main(sys.argv[1:])
"""


@pytest.mark.slow
def test_a_study_that_is_killed_before_a_policy_is_recorded_has_all_rows(
    inputs: Path, undisturbed: Callable[[str], Any], tmp_path: Path
) -> None:
    arguments = COMMANDS["run"].arguments(inputs, tmp_path)
    killed = run_forked(*arguments, code=KILLED_BEFORE_THE_LEDGER)
    assert killed.returncode < 0
    assert list(tmp_path.rglob("policy.safetensors"))
    done = run_forked(*arguments)
    assert done.returncode == 0, done.stderr
    assert studied(tmp_path) == undisturbed("run")[0]
