"""Cost of collecting a sample, and the expert's part of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

from families import Family
from rows import Row

from milplib.learn import SampleSet, collect
from milplib.learn.collecting import episode
from milplib.learn.samples import TreeRecorder


def rows(family: Family, folder: Path) -> Iterator[Row]:
    """Collect into a folder like ``milplib collect`` with one worker, and time the parts."""
    (folder / "instances").mkdir(parents=True)
    for seed in range(family.instances):
        instance = family.generator.generate(1000 + seed)
        instance.write(folder / "instances" / f"{seed:03d}.lp")
    seconds: Counter[str] = Counter()
    parts = (
        ("expert", episode, "ask_expert"),
        ("extraction", episode, "extract_state"),
        ("recording", TreeRecorder, "record"),
        ("encoding", TreeRecorder, "batches"),
    )
    begin = time.perf_counter()
    with ExitStack() as stack:
        for part, owner, name in parts:
            timed = _timed(getattr(owner, name), seconds, part)
            stack.enter_context(patch.object(owner, name, timed))
        samples = collect(
            [folder / "instances"],
            out=folder / "samples",
            samples_per_instance=family.samples,
            expert_probability=0.2,
        )
    every = 1000 * (time.perf_counter() - begin) / len(samples)
    note = f"{1000 / every:.2f} samples a second"
    for part, _, _ in parts:
        cost = 1000 * seconds[part] / len(samples)
        yield Row(
            family=family.name,
            name=f"collection: {part} / whole sample",
            ours=cost,
            other=every,
            note=f"{cost / every:.1%}; {note}",
        )


def _timed(function: Callable[..., Any], seconds: Counter[str], part: str) -> Callable[..., Any]:
    def timed(*arguments: Any, **options: Any) -> Any:
        begin = time.perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            seconds[part] += time.perf_counter() - begin  # type: ignore[assignment]

    return timed


def samples_in(folder: Path) -> SampleSet:
    """Return the samples that `rows` has collected."""
    return SampleSet(folder / "samples")
