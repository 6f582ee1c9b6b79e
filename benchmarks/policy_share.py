"""A trained policy's share of the time of a solve."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from families import Family
from rows import Row

import milplib
from milplib.learn import SampleSet, train

SETTINGS = ("default", "learn2branch")


def rows(
    family: Family,
    samples: SampleSet,
    folder: Path,
    *,
    policy: str | None = None,
    instances: int = 10,
    time_limit: float = 120.0,
) -> Iterator[Row]:
    """Solve unseen instances with a policy trained on the samples."""
    if policy is None:
        out = folder / "policy.safetensors"
        policy = str(train([samples.folder], out=out, epochs=family.epochs, seed=0).policy)
    for setting in SETTINGS:
        results = [
            milplib.solve(
                family.generator.generate(seed),
                policy=policy,
                setting=setting,
                seed=seed,
                time_limit=time_limit,
                on_error="raise",
            )
            for seed in range(instances)
        ]
        ours, whole = (sum(r.policy_time for r in results), sum(r.time for r in results))
        calls, nodes = sum(r.policy_calls for r in results), sum(r.nodes for r in results)
        yield Row(
            family=family.name,
            name=f"policy / whole solve, {setting} setting",
            ours=1000 * ours / instances,
            other=1000 * whole / instances,
            note=f"{ours / whole:.1%}; {calls:,} decisions, {nodes:,} nodes, {instances} instances",
        )
