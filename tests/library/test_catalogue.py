"""The catalogue: every published name with what is known of it, and who generates it."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from narrowing import present

import milplib
from milplib.errors import NoGeneratorError
from milplib.generators import from_name
from milplib.library import (
    distribution,
    generate_split,
    generator_parameters,
    published_distributions,
)

DOMAINS = tuple("CA SC MIS MVC GISP CFLP LB IP MIRP NNV OTS MMCN SRPN".split())  # noqa: SIM905


def test_all_published_names_are_listed_once_domain_after_domain() -> None:
    listed = milplib.distributions()
    names = [entry.name for entry in listed]
    assert len(names) == len(set(names))
    assert set(published_distributions()) <= set(names)
    assert len(published_distributions()) >= 37
    domains = [entry.domain for entry in listed]
    assert list(dict.fromkeys(domains))[: len(DOMAINS)] == list(DOMAINS)
    assert domains == sorted(domains, key=list(dict.fromkeys(domains)).index)


@pytest.mark.parametrize("name", published_distributions())
def test_what_is_known_of_a_published_distribution_is_whole(name: str) -> None:
    entry = distribution(name)
    facts = entry.published
    assert (present(facts).name, present(facts).domain) == (name, entry.domain)
    assert name.startswith(f"{present(facts).domain}-{present(facts).level}")
    assert present(facts).level == entry.level
    assert entry.provenance != "milplib"
    assert (entry.generator is None) == (entry.provenance == "authors")
    assert (present(facts).rows is None) == (present(facts).columns is None)
    assert (present(facts).mean_bytes is None) == (present(facts).file_format == "")
    assert present(facts).licence
    assert "arXiv 2406.06954" in present(facts).references[0]
    assert set(present(facts).splits) in ({"train", "val", "test"}, set())


def test_verified_means_that_the_size_of_published_files_is_known() -> None:
    for entry in milplib.distributions():
        if entry.provenance == "verified":
            assert present(entry.published).mean_bytes


def test_our_own_distributions_take_no_published_name() -> None:
    for entry in milplib.distributions():
        assert (entry.published is None) == (entry.name not in published_distributions())
        if entry.provenance == "milplib":
            assert entry.published is None


def test_settings_that_belong_to_a_distribution_are_known() -> None:
    assert present(distribution("NNV-easy").published).settings == {"numerics/feastol": 1e-4}
    assert present(distribution("MMCN-medium-BC").published).settings == {"limits/gap": 0.005}
    assert distribution("MMCN-medium-BC").level == "medium"
    assert present(distribution("MIRP-medium").published).splits == {
        "train": 98,
        "val": 20,
        "test": 20,
    }


def test_a_parameter_that_a_family_was_given_later_is_recorded_only_where_it_is_used() -> None:
    before, used = (
        generator_parameters(distribution(name).generator)
        for name in ("CFLP-easy", "CFLP-milplib-deep")
    )
    assert before == {"n_customers": 100, "n_facilities": 100, "ratio": 5}
    assert used.keys() - before.keys() == {"transport_cost", "links"}


def test_what_no_family_generates_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(NoGeneratorError, match="'OTS-easy' cannot be generated") as caught:
        from_name("OTS-easy")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    with pytest.raises(NoGeneratorError, match="'LB-hard'"):
        generate_split(distribution("LB-hard"), count=1, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    # should a domain lose one of its generators, the others are named
    assert "CA-easy" in str(NoGeneratorError("CA-other", ["CA-easy"]))
