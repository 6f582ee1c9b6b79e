"""Experts compared by what is learned from their labels (see ``labels.py``)."""

from __future__ import annotations

import shutil
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from learning import interval

import milplib
from milplib.learn import SampleSet, collect, train_ranker
from milplib.learn.training import judge
from milplib.library import generate_instance

TRAINED = (
    "full",
    "screen:20/8",
    "shortlist:50+screen:20/8",
    "shortlist:20+screen:20/4",
    "iterations:50",
)
EXPERT_PROBABILITY = 0.2


@dataclass(frozen=True)
class Collected:
    """Samples of one instance, and the processor time that they took."""

    folder: Path
    samples: int
    seconds: float


def collected(name: str, split: str, index: int, *, expert: str, folder: Path) -> Collected:
    """Collect from one instance; the time counts only if nothing of it is there yet."""
    place = folder / name / expert.replace("/", "-") / f"{split}-{index:03d}"
    (place / "instance").mkdir(parents=True, exist_ok=True)
    generate_instance(name, split=split, index=index).write(place / "instance" / f"{index:03d}.lp")
    begin = time.process_time()
    samples = collect(
        [place / "instance"],
        out=place / "samples",
        expert=expert,
        expert_probability=EXPERT_PROBABILITY,
        max_episodes=2,
    )
    return Collected(place / "samples", len(samples), time.process_time() - begin)


def collected_within(name: str, seconds: float, *, expert: str, folder: Path) -> list[Collected]:
    """Collect from one training instance after the other until the time is used up."""
    for old in (folder / name / expert.replace("/", "-")).glob("train-*"):
        shutil.rmtree(old)  # an interrupted run's, of which nobody knows what it took
    found: list[Collected] = []
    while sum(part.seconds for part in found) < seconds:
        found.append(collected(name, "train", len(found), expert=expert, folder=folder))
    return found


def learned(parts: list[Collected], validation: list[Path], out: Path) -> dict[str, Any]:
    """Train a linear ranker; say how it does on each validation sample."""
    train_ranker(
        [part.folder for part in parts if part.samples],
        out=out,
        model="linear",
        validation=validation,
        mixture="proportional",
        blocks=("pseudocost",),
        force=True,
    )
    policy: Any = milplib.load_policy(out)
    judged = [
        judge(
            policy.score(sample.state),
            candidates=sample.state.candidates,
            expert=sample.scores,
            valid=sample.valid,
        )
        for folder in validation
        for sample in SampleSet(folder)
    ]
    return {
        "instances": len(parts),
        "samples": sum(part.samples for part in parts),
        "seconds": sum(part.seconds for part in parts),
        "hits": [int(judgement.rank == 1) for judgement in judged],
        "regret": statistics.mean(judgement.regret for judgement in judged),
    }


def with_as_many(parts: list[Collected], samples: int) -> list[Collected]:
    """Give the first instances that have so many samples together, or all."""
    taken: list[Collected] = []
    for part in parts:
        if sum(other.samples for other in taken) >= samples:
            break
        taken.append(part)
    return taken


def compare_learned(
    name: str, found: dict[str, Any], *, folder: Path, keep: Callable[[], None]
) -> None:
    """Collect with each expert that is missing, and learn from its labels.

    Parameters
    ----------
    name
        The distribution.
    found
        What is known of it: processor seconds of collecting for each expert, number of test
        instances to judge by, and what was found; filled.
    folder
        For instances and samples.
    keep
        Called after each expert.
    """
    experts = found["experts"]
    if not set(TRAINED) - set(experts):
        return
    checks = [
        collected(name, "test", index, expert="full", folder=folder)
        for index in range(found["validation"])
    ]
    checks = [part for part in checks if part.samples]
    others = [part.folder for part in checks]
    found["judged"] = [part.samples for part in checks]
    for expert in TRAINED:
        if expert in experts:
            continue
        parts = collected_within(name, found["budget"], expert=expert, folder=folder)
        policy = folder / name / f"{expert.replace('/', '-')}.safetensors"
        runs = {"equal time": learned(parts, others, policy)}
        whole = experts["full"]["equal time"] if experts else runs["equal time"]
        runs["equal samples"] = learned(with_as_many(parts, whole["samples"]), others, policy)
        experts[expert] = runs
        keep()
        print(f"{name} {expert}: {runs['equal time']['samples']} samples", file=sys.stderr)


def difference(run: dict[str, Any], full: dict[str, Any], judged: list[int]) -> str:
    """Say by how much accuracy differs, in hundredths, with an interval over instances."""
    hits, hits_of_full = (100.0 * np.array(found["hits"]) for found in (run, full))
    instances = np.repeat(np.arange(len(judged)).astype(str), judged)
    return "{:+.1f} [{:+.1f}, {:+.1f}]".format(*interval(hits - hits_of_full, instances))
