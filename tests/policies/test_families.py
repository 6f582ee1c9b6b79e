"""Families by cheap features: which instances belong to one, and what is made of that."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from narrowing import instance_from

import milplib
from milplib.errors import ParameterError, PolicyError
from milplib.generators import CombinatorialAuction, IndependentSet, MinimumVertexCover, SetCover
from milplib.instance import Instance
from milplib.policies import (
    FAMILY_FEATURES,
    Family,
    family_features,
    portfolio_of,
    read_families,
    write_families,
)

AUCTIONS = CombinatorialAuction(n_items=50, n_bids=200)


def features(instance: Instance) -> dict[str, float]:
    return dict(zip(FAMILY_FEATURES, family_features(instance).tolist(), strict=True))


@pytest.fixture(scope="module")
def auctions() -> Family:
    return Family.of("auctions", "pscost", [AUCTIONS.generate(seed) for seed in range(5)])


def test_the_features_of_a_small_instance_are_those_counted_by_hand() -> None:
    instance = instance_from(
        objective=[1, -2, 0, 4],
        A=[[1, 1, 1, 0], [2, 0, 0, -3], [0, 1, 0, 0]],
        row_lower=[-np.inf, 0, 0],
        row_upper=[1, np.inf, 0],
        lower=[0, 0, 0, 0],
        upper=[1, 1, 9, np.inf],
        integrality=[1, 1, 1, 0],
        sense="minimize",
    )
    found = features(instance)
    lengths = np.log([3, 2, 1])
    assert found["log_rows"] == pytest.approx(np.log(3))
    assert found["log_nonzeros"] == pytest.approx(np.log(6))
    assert found["log_row_length"] == pytest.approx(np.log(2))
    assert found["row_length_spread"] == pytest.approx(lengths.std())
    assert found["objective_spread"] == pytest.approx(np.log([1, 2, 4]).std())
    assert found["coefficient_spread"] == pytest.approx(np.log([1, 1, 1, 2, 3, 1]).std())
    assert (found["binary"], found["continuous"], found["in_objective"]) == (0.5, 0.25, 0.75)
    assert found["objective_upward"] == pytest.approx(1 / 3)
    # Three of the first row, the last column's -3 in a row of at least, and half an equation.
    assert found["up_locks"] == pytest.approx((3 + 1 + 0.5) / 6)
    assert found["equations"] == pytest.approx(1 / 3)


@given(seed=st.integers(0, 1000))
def test_features_do_not_depend_on_order_sense_or_the_side_a_row_is_written_on(seed: int) -> None:
    instance = AUCTIONS.generate(seed % 7)
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(instance.n_rows), rng.permutation(instance.n_columns)
    sign = rng.choice([-1.0, 1.0], size=instance.n_rows)
    lower, upper = instance.row_lower[rows], instance.row_upper[rows]
    other = instance_from(
        objective=-instance.objective[columns],
        A=(instance.A[rows][:, columns].toarray().T * sign).T,
        row_lower=np.where(sign > 0, lower, -upper),
        row_upper=np.where(sign > 0, upper, -lower),
        lower=instance.lower[columns],
        upper=instance.upper[columns],
        integrality=instance.integrality[columns],
        sense={"maximize": "minimize", "minimize": "maximize"}[instance.sense],
    )
    np.testing.assert_allclose(family_features(other), family_features(instance), atol=1e-12)


def test_an_instance_without_rows_or_columns_has_finite_features() -> None:
    for n in (0, 2):
        empty = instance_from(
            objective=np.zeros(n),
            A=np.zeros((0, n)),
            row_lower=[],
            row_upper=[],
            lower=np.zeros(n),
            upper=np.ones(n),
            integrality=np.ones(n),
        )
        assert np.isfinite(family_features(empty)).all()


def test_a_family_holds_unseen_and_larger_instances_and_no_others(auctions: Family) -> None:
    assert auctions.holds(family_features(AUCTIONS.generate(99)))
    larger = CombinatorialAuction(n_items=100, n_bids=400).generate(0)
    assert auctions.holds(family_features(larger))
    for other in (
        SetCover(n_rows=50, n_columns=200, density=0.1),
        IndependentSet(n_nodes=200),
        MinimumVertexCover(n_nodes=100),
    ):
        assert auctions.outside(family_features(other.generate(0)))


def test_an_instance_many_times_larger_is_outside_by_its_size(auctions: Family) -> None:
    far = auctions.outside(
        family_features(CombinatorialAuction(n_items=500, n_bids=2500).generate(0))
    )
    assert {"log_rows", "log_columns", "log_nonzeros"} <= far.keys()
    assert far["log_columns"] == pytest.approx(np.log(2500))


def test_of_two_families_the_nearer_one_decides() -> None:
    small = Family.of("small", "pscost", [AUCTIONS.generate(0)])
    larger_ones = CombinatorialAuction(n_items=100, n_bids=400)
    large = Family.of("large", "mostinf", [larger_ones.generate(seed) for seed in range(5)])
    for order in ((small, large), (large, small)):
        portfolio = portfolio_of(order)
        assert portfolio.picked(larger_ones.generate(99)).name == "mostinf"
        assert portfolio.picked(AUCTIONS.generate(0)).name == "pscost"


def test_what_belongs_to_no_family_goes_to_the_policy_named_for_it(auctions: Family) -> None:
    portfolio = portfolio_of([auctions], otherwise="vanillafullstrong", name="mine")
    cover = SetCover(n_rows=50, n_columns=60, density=0.1).generate(0)
    assert portfolio.name == "mine"
    assert portfolio.picked(cover).name == "vanillafullstrong"
    assert milplib.solve(cover, policy=portfolio).policy == "mine"


def test_families_are_what_they_were_when_read_again(auctions: Family, tmp_path: Path) -> None:
    path = tmp_path / "families.json"
    write_families(path, [auctions])
    (again,) = read_families(path)
    assert (again.name, again.policy) == ("auctions", "pscost")
    np.testing.assert_allclose(again.lower, auctions.lower, atol=1e-6)
    np.testing.assert_allclose(again.upper, auctions.upper, atol=1e-6)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content | {"version": 99},
        lambda content: content | {"format": "something else"},
        lambda content: content | {"families": [{"name": "x"}]},
        lambda content: content | {"families": 3},
        lambda content: content | {"families": [content["families"][0] | {"policy": 0.5}]},
        lambda content: [content],
    ],
)
def test_a_damaged_file_is_named(
    auctions: Family, tmp_path: Path, damage: Callable[..., Any]
) -> None:
    path = tmp_path / "families.json"
    write_families(path, [auctions])
    path.write_text(json.dumps(damage(json.loads(path.read_text()))))
    with pytest.raises(PolicyError, match=r"families\.json"):
        read_families(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="nowhere"):
        read_families(tmp_path / "nowhere.json")


def test_impossible_families_are_refused_by_the_name_of_the_field(auctions: Family) -> None:
    with pytest.raises(ParameterError, match="needs at least one instance"):
        Family.of("none", "pscost", [])
    with pytest.raises(ParameterError, match="lower of the family"):
        replace(auctions, lower=np.zeros(3))
    with pytest.raises(ParameterError, match="upper of the family"):
        replace(auctions, upper=np.full(len(FAMILY_FEATURES), np.nan))
    with pytest.raises(ParameterError, match="lower above upper"):
        replace(auctions, lower=auctions.upper + 1)


def test_a_families_file_names_no_module_that_is_not_allowed(tmp_path: Path) -> None:
    cover = SetCover(n_rows=50, n_columns=60, density=0.1).generate(seed=0)
    write_families(tmp_path / "f.json", [Family.of("SC", "own_module:good", [cover])])

    with pytest.raises(PolicyError, match="'own_module:good' is in the module 'own_module'"):
        read_families(tmp_path / "f.json")
    assert read_families(tmp_path / "f.json", allow=["own_module"])[0].policy == "own_module:good"
