"""Compare experts by the rankers learned from their labels (see ``labels.py``)."""

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
    """Samples of an instance, and the processor time of their collection."""

    folder: Path
    samples: int
    seconds: float


def collected(name: str, split: str, index: int, *, expert: str, folder: Path) -> Collected:
    """Collect from an instance. The time is complete only if nothing was collected before."""
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
    """Collect from successive training instances until the time is used up."""
    for old in (folder / name / expert.replace("/", "-")).glob("train-*"):
        shutil.rmtree(old)  # the processor time of an interrupted run is unknown
    parts: list[Collected] = []
    while sum(part.seconds for part in parts) < seconds:
        parts.append(collected(name, "train", len(parts), expert=expert, folder=folder))
    return parts


def learned(parts: list[Collected], validation: list[Path], out: Path) -> dict[str, Any]:
    """Train a linear ranker, and evaluate it on each validation sample."""
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
    """Return the first instances with at least `samples` samples in total, or all instances."""
    taken: list[Collected] = []
    for part in parts:
        if sum(other.samples for other in taken) >= samples:
            break
        taken.append(part)
    return taken


def compare_learned(
    name: str, results: dict[str, Any], *, folder: Path, keep: Callable[[], None]
) -> None:
    """Collect with each missing expert, and learn from its labels.

    Parameters
    ----------
    name
        Name of the distribution.
    results
        Results of the distribution, updated in place. They hold the budget in processor seconds
        per expert and the number of validation instances.
    folder
        Folder for instances and samples.
    keep
        Called after each expert.
    """
    experts = results["experts"]
    if not set(TRAINED) - set(experts):
        return
    checks = [
        collected(name, "test", index, expert="full", folder=folder)
        for index in range(results["validation"])
    ]
    checks = [part for part in checks if part.samples]
    others = [part.folder for part in checks]
    results["judged"] = [part.samples for part in checks]
    for expert in TRAINED:
        if expert in experts:
            continue
        parts = collected_within(name, results["budget"], expert=expert, folder=folder)
        policy = folder / name / f"{expert.replace('/', '-')}.safetensors"
        runs = {"equal time": learned(parts, others, policy)}
        whole = experts["full"]["equal time"] if experts else runs["equal time"]
        runs["equal samples"] = learned(with_as_many(parts, whole["samples"]), others, policy)
        experts[expert] = runs
        keep()
        print(f"{name} {expert}: {runs['equal time']['samples']} samples", file=sys.stderr)


def difference(run: dict[str, Any], full: dict[str, Any], judged: list[int]) -> str:
    """Format the difference in accuracy in hundredths, with its interval over instances."""
    hits, hits_of_full = (100.0 * np.array(each["hits"]) for each in (run, full))
    instances = np.repeat(np.arange(len(judged)).astype(str), judged)
    return "{:+.1f} [{:+.1f}, {:+.1f}]".format(*interval(hits - hits_of_full, instances))
