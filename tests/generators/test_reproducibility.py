from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from slow_parameters import slow

from milplib.generators import (
    CapacitatedFacilityLocation,
    CombinatorialAuction,
    IndependentSet,
    SetCover,
)
from milplib.library import InstanceGenerator

GENERATORS: dict[str, InstanceGenerator] = {
    "set cover": SetCover(n_rows=60, n_columns=80, density=0.1),
    "auction": CombinatorialAuction(n_items=50, n_bids=200),
    "auction as published": CombinatorialAuction(
        n_items=50, n_bids=200, compatibility="first_items"
    ),
    "Barabási-Albert": IndependentSet(n_nodes=150),
    "Erdős-Rényi": IndependentSet(n_nodes=80, graph="erdos_renyi", edge_probability=0.1),
    "facility location": CapacitatedFacilityLocation(n_customers=20, n_facilities=15),
}

# Changed only together with the family's generator_version: published sample files and results
# name instances by these streams.
PINNED = {
    "set cover": "cf92a8854f2298e83b26b80645210a8b0d34bde8d48387094998ec7025a739f8",
    "auction": "15cb64a00ea26903630e8ebdae7d8f42af5bc242623b2a86a62a78bb5ef07c09",
    "auction as published": "5179c6ffc09de5d873015631dc7ea2f17be7b61c969332fa74d251a8b874bdf2",
    "Barabási-Albert": "1f0daf1aa4329fcf88d79dc8c83aa2733e154e3d6024c510eab704abc530acb5",
    "Erdős-Rényi": "baae4fa3dfd30f2d7a6a06c29fc16e140ee23db0144b8bb61dbc66a958e999f9",
    "facility location": "8aeabf9ca472c8698e9a033edc58dca032a28e729d9b63f521464af88fc34eef",
}

HASHES_OF_SEEDS_0_TO_4 = """
import json
from milplib.generators import *
generators = {generators!r}
print(json.dumps({{name: [generator.generate(seed).content_hash for seed in range(5)]
                  for name, generator in generators.items()}}))
"""


@pytest.fixture(scope="module")
def hashes() -> dict[str, list[str]]:
    return {
        name: [generator.generate(seed).content_hash for seed in range(5)]
        for name, generator in GENERATORS.items()
    }


def dispatched_cpu_features() -> str:
    return " ".join(np.show_config(mode="dicts")["SIMD Extensions"].get("found", []))


@pytest.mark.parametrize("name", GENERATORS)
def test_seed_0_gives_the_pinned_instance(name: str, hashes: dict[str, list[str]]) -> None:
    assert hashes[name][0] == PINNED[name]


@pytest.mark.parametrize("name", GENERATORS)
def test_other_seeds_give_other_instances(name: str, hashes: dict[str, list[str]]) -> None:
    assert len(set(hashes[name])) == 5


@pytest.mark.parametrize("name", GENERATORS)
def test_an_instance_does_not_depend_on_what_was_generated_before(
    name: str, hashes: dict[str, list[str]]
) -> None:
    generator = GENERATORS[name]
    assert [generator.generate(seed).content_hash for seed in (3, 1, 3)] == [
        hashes[name][3],
        hashes[name][1],
        hashes[name][3],
    ]


@pytest.mark.parametrize("name", GENERATORS)
def test_the_global_random_state_is_neither_read_nor_written(
    name: str, hashes: dict[str, list[str]]
) -> None:
    np.random.seed(12345)
    before = np.random.get_state(legacy=False)["state"]["key"].copy()
    assert GENERATORS[name].generate(2).content_hash == hashes[name][2]
    assert (np.random.get_state(legacy=False)["state"]["key"] == before).all()


@pytest.mark.parametrize(
    "environment",
    [
        slow({}),
        {"PYTHONHASHSEED": "1"},
        # numpy up to 2.3 has the first names; later ones group them and ignore these.
        slow({"NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F"}),
        {
            "NPY_DISABLE_CPU_FEATURES": dispatched_cpu_features(),
            "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX512F",
        },
    ],
    ids=["plain", "other hash seed", "without AVX2", "without any vector extension"],
)
def test_another_process_gives_the_same_instances(
    environment: dict[str, Any], hashes: dict[str, list[str]]
) -> None:
    script = HASHES_OF_SEEDS_0_TO_4.format(generators=GENERATORS)
    process = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert json.loads(process.stdout) == hashes


@pytest.mark.parametrize("name", GENERATORS)
def test_coefficients_survive_being_written_with_9_digits(name: str) -> None:
    instance = GENERATORS[name].generate(0)
    for values in (instance.objective, instance.A.data):
        assert [float(f"{value:.9g}") for value in values] == values.tolist()


@pytest.mark.parametrize("name", GENERATORS)
def test_big_seeds_are_taken_whole(name: str) -> None:
    generator = GENERATORS[name]
    small, big = generator.generate(7), generator.generate(7 + 2**100)
    assert small.content_hash != big.content_hash
