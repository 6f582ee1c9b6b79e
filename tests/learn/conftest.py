"""Real samples for the tests of learning: small instances of three families, collected once."""

from __future__ import annotations

import pytest

from milplib.generators import CombinatorialAuction, IndependentSet, SetCover
from milplib.learn import collect

# Family, instances, samples of each: small, but they branch.
FAMILIES = {
    "auction": (CombinatorialAuction(n_items=50, n_bids=200), 6, 4),
    "independent_set": (
        IndependentSet(n_nodes=80, graph="erdos_renyi", edge_probability=0.15),
        4,
        3,
    ),
    "set_cover": (SetCover(n_rows=200, n_columns=300, density=0.05), 1, 1),
}


@pytest.fixture(scope="session")
def sample_sets(tmp_path_factory):
    """Sets of samples by family, with both blocks."""
    folder = tmp_path_factory.mktemp("learning")
    sets = {}
    for name, (family, instances, samples) in FAMILIES.items():
        (folder / name).mkdir()
        for seed in range(instances):
            family.generate(seed).write(folder / name / f"{name}-{seed}.lp")
        sets[name] = collect(
            [folder / name],
            out=folder / f"{name}.samples",
            samples_per_instance=samples,
            expert_probability=1.0,
            blocks=("pseudocost", "tree"),
            max_episodes=4,
        )
        assert len(sets[name]) == instances * samples
    return sets


@pytest.fixture(scope="session")
def samples(sample_sets):
    """All samples of all families."""
    return [sample for found in sample_sets.values() for sample in found]
