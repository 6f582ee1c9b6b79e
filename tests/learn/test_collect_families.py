"""Strong-branching samples from the easy level of every domain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from slow_parameters import slow

import milplib
from milplib.learn import collect
from milplib.library import generate_split

# The published easy level where milplib regenerates it and solves it, or else its own.
EASY = {
    "CA": "CA-easy",
    "SC": "SC-easy",
    "MIS": "MIS-easy",
    "MVC": "MVC-milplib-easy",
    "GISP": "GISP-milplib-easy",
    "CFLP": "CFLP-easy",
    "LB": "LB-milplib-easy",
    "IP": "IP-milplib-easy",
    "MIRP": "MIRP-milplib-easy",
    "NNV": "NNV-digits-easy",
    "OTS": "OTS-milplib-easy",
    "MMCN": "MMCN-milplib-easy",
    "SRPN": "SRPN-milplib-easy",
    "Corridor": "Corridor-milplib-easy",
    "MOE": "MOE-milplib-easy",
    "NAS": "NAS-milplib-easy",
    "ABD": "ABD-milplib-easy",
    "CTS": "CTS-milplib-easy",
}
QUICK = ("IP",)
SECONDS = ("LB", "NAS", "SRPN")


def test_every_domain_with_a_generator_has_an_easy_level() -> None:
    generated = {entry.domain for entry in milplib.distributions() if entry.generator is not None}
    assert set(EASY) == generated


@pytest.mark.parametrize(
    "domain",
    [
        *QUICK,
        *map(slow, SECONDS),
        *(
            pytest.param(domain, marks=pytest.mark.nightly)
            for domain in EASY
            if domain not in QUICK + SECONDS
        ),
    ],
)
def test_the_easy_level_gives_samples(domain: str, tmp_path: Path) -> None:
    (entry,) = (d for d in milplib.distributions() if d.name == EASY[domain])
    generate_split(entry, split="train", count=2, out=tmp_path / "data")
    samples = collect(
        [tmp_path / "data"],
        out=tmp_path / "samples",
        samples_per_instance=2,
        expert_probability=0.5,
        workers=1,
    )
    # Even of an easy level an instance may be solved at its root.
    assert len(samples) >= 2
    for sample in samples:
        assert sample.valid.any()
        assert np.isfinite(sample.scores[sample.valid]).all()
        assert len(sample.state.candidates) == len(sample.scores) > 1
