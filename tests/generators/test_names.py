from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

import milplib
from milplib.errors import UnknownNameError
from milplib.extensions import extensions
from milplib.generators import (
    CapacitatedFacilityLocation,
    CombinatorialAuction,
    GeneralizedIndependentSet,
    IndependentSet,
    MinimumVertexCover,
    SetCover,
    from_name,
)
from milplib.library import InstanceGenerator, published_distributions

FAMILIES = tuple(extensions("milplib.generators").values())


def auction(n_items: Any, n_bids: Any) -> Any:
    return CombinatorialAuction(n_items=n_items, n_bids=n_bids, compatibility="first_items")


def cover(n_rows: Any, n_columns: int = 1000) -> Any:
    return SetCover(n_rows=n_rows, n_columns=n_columns, density=0.05)


def generalized(n_nodes: Any) -> Any:
    return GeneralizedIndependentSet(
        n_nodes=n_nodes,
        edge_probability=0.3,
        removable_probability=0.25,
        revenue=100,
        removal_cost=1,
    )


THEIRS = published_distributions()
PUBLISHED = {
    "CA-very-easy": (auction(100, 500), "published"),
    "CA-easy": (auction(200, 1000), "verified"),
    "CA-medium": (auction(300, 1500), "verified"),
    "CA-very-hard": (auction(2000, 4000), "verified"),
    "CA-very-hard2": (auction(4000, 8000), "published"),
    "SC-easy": (cover(500), "verified"),
    "SC-medium": (cover(1000), "verified"),
    "SC-hard": (cover(2000), "verified"),
    "SC-very-hard": (cover(5000, 4000), "verified"),
    "MIS-easy": (IndependentSet(n_nodes=1000, affinity=4), "verified"),
    "MIS-medium": (IndependentSet(n_nodes=1500, affinity=4), "verified"),
    "MIS-very-hard": (
        IndependentSet(n_nodes=6000, graph="erdos_renyi", edge_probability=8 / 5999),
        "verified",
    ),
    "MVC-easy": (MinimumVertexCover(n_nodes=1200, affinity=5), "verified"),
    "MVC-medium": (MinimumVertexCover(n_nodes=2000, affinity=5), "verified"),
    "MVC-hard": (MinimumVertexCover(n_nodes=500, affinity=70), "verified"),
    "MVC-very-hard": (MinimumVertexCover(n_nodes=1000, affinity=70), "verified"),
    "GISP-easy": (generalized(115), "verified"),
    "GISP-medium": (generalized(150), "verified"),
    "GISP-hard": (generalized(175), "verified"),
    "CFLP-easy": (CapacitatedFacilityLocation(n_customers=100, n_facilities=100), "published"),
    "CFLP-medium": (CapacitatedFacilityLocation(n_customers=200, n_facilities=100), "published"),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_name_stands_for_the_published_parameters(name: str) -> None:
    generator, provenance = PUBLISHED[name]
    (entry,) = (entry for entry in milplib.distributions() if entry.name == name)
    assert from_name(name) == entry.generator == generator
    assert (entry.provenance, f"{entry.domain}-{entry.level}") == (provenance, name)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_offers_the_protocol_and_a_small_or_easy_distribution_of_ours(
    family: Any,
) -> None:
    ours = [entry for entry in family.distributions if entry.provenance == "milplib"]
    assert all(entry.level == "milplib" and entry.name not in THEIRS for entry in ours)
    assert any(entry.name.endswith(("-milplib-small", "-easy")) for entry in ours)
    assert all(isinstance(entry.generator, InstanceGenerator) for entry in family.distributions)
    assert all(isinstance(entry.generator, family) for entry in family.distributions)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_catalogue_lists_every_distribution_of_a_family(family: Any) -> None:
    listed = {
        entry.name: (entry.generator, entry.provenance)
        for entry in milplib.distributions()
        if entry.domain == family.domain and entry.generator is not None
    }
    assert listed == {e.name: (e.generator, e.provenance) for e in family.distributions}


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UnknownNameError, match="did you mean CA-medium"):
        from_name("CA-medum")


def test_the_family_of_another_package_is_found_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "guest_family.py").write_text(
        "from milplib.generators import SetCover\n"
        "from milplib.library import Distribution\n"
        "class Guest:\n"
        "    distributions = (Distribution(\n"
        "        name='GUEST-easy', domain='GUEST', level='easy', provenance='published',\n"
        "        generator=SetCover(n_rows=5, n_columns=5, density=0.5)),)\n"
    )
    metadata = tmp_path / "guest_family-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: guest-family\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[milplib.generators]\nguest = guest_family:Guest\n")
    monkeypatch.syspath_prepend(tmp_path)
    try:
        assert from_name("GUEST-easy").generate(0).n_nonzeros == 12
    finally:
        sys.modules.pop("guest_family", None)
