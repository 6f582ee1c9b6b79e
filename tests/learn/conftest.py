"""Real samples for the tests of learning: small instances of three families, collected once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from market_split import market_split

from milplib.generators import (
    CombinatorialAuction,
    IndependentSet,
    SetCover,
)
from milplib.learn import Sample, SampleSet, collect
from milplib.library import InstanceGenerator

# Family, instances, samples of each: small, but they branch.
FAMILIES: dict[str, tuple[InstanceGenerator, int, int]] = {
    "auction": (CombinatorialAuction(n_items=80, n_bids=120), 6, 4),
    "independent_set": (
        IndependentSet(n_nodes=60, graph="erdos_renyi", edge_probability=0.15),
        4,
        3,
    ),
    "set_cover": (SetCover(n_rows=200, n_columns=300, density=0.05), 1, 1),
}


@pytest.fixture(scope="session")
def sample_sets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SampleSet]:
    """Sets of samples by family, with both blocks; the processes that run the tests share them."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if worker else base) / "learning"
    folder.mkdir(exist_ok=True)
    # Two processes that come here together begin at opposite ends, rather than wait.
    order = reversed(FAMILIES) if worker.endswith("1") else iter(FAMILIES)
    collected = {name: _collected_once(folder, name) for name in order}
    # Tests take the first samples: the order of the families is the same in every process.
    return {name: collected[name] for name in FAMILIES}


def _collected_once(folder: Path, name: str) -> SampleSet:
    family, instances, samples = FAMILIES[name]
    done = folder / f"{name}.done"
    with FileLock(folder / f"{name}.lock"):
        if not done.exists():
            (folder / name).mkdir()
            for seed in range(instances):
                family.generate(seed).write(folder / name / f"{name}-{seed}.lp")
            collect(
                [folder / name],
                out=folder / f"{name}.samples",
                samples_per_instance=samples,
                expert_probability=1.0,
                blocks=("pseudocost", "tree"),
                max_episodes=4,
            )
            done.touch()
    found = SampleSet(folder / f"{name}.samples")
    assert len(found) == instances * samples
    return found


@pytest.fixture(scope="session")
def auction() -> InstanceGenerator:
    """The generator of the auctions in `sample_sets`, which have the first seeds."""
    return FAMILIES["auction"][0]


@pytest.fixture(scope="session")
def samples(sample_sets: dict[str, SampleSet]) -> list[Sample]:
    """All samples of all families."""
    return [sample for found in sample_sets.values() for sample in found]


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small real collection; tests that damage it work on copies."""
    folder = tmp_path_factory.mktemp("collected")
    for seed in range(3):
        market_split(seed, n_columns=20).write(folder / f"{seed}.lp")
    collect([folder], out=folder / "samples", samples_per_instance=3, expert_probability=0.5)
    return folder / "samples"


@pytest.fixture
def copy(collected: Path, tmp_path: Path) -> Path:
    for path in collected.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


@pytest.fixture(scope="module")
def instances(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("instances")
    for seed in range(4):
        market_split(seed).write(folder / f"{seed}.lp")
    return folder
