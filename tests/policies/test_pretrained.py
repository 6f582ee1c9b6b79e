"""The shipped policies, and ``auto``, which picks one by the instance's family."""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from market_split import market_split
from narrowing import of_class

import milplib
from milplib import Instance
from milplib.errors import PolicyError, UnknownNameError
from milplib.evaluation.policies import evaluated_policies
from milplib.files import file_sha256
from milplib.generators import CombinatorialAuction, from_name
from milplib.library import generate_instance
from milplib.policies import (
    AUTO,
    GcnnPolicy,
    Portfolio,
    load_policy,
    pretrained,
    pretrained_card,
    pretrained_families,
    pretrained_file,
    pretrained_names,
    read_policy,
    write_policy,
)

MEGABYTE = 1_000_000


def unseen(name: str, index: int = 0) -> Instance:
    return generate_instance(name, split="test", index=index)


def test_something_is_shipped() -> None:
    assert pretrained_names()
    assert pretrained_families()


@pytest.mark.parametrize("name", pretrained_names())
def test_a_shipped_policy_is_small_and_has_a_card_about_this_very_file(name: str) -> None:
    path = pretrained_file(name)
    assert path.stat().st_size <= MEGABYTE
    card = pretrained_card(name)
    assert file_sha256(path) in card
    for heading in ("## Trained on", "## Results", "## Limits"):
        assert heading in card


@pytest.mark.parametrize("name", pretrained_names())
def test_a_shipped_policy_is_loaded_by_its_name_from_anywhere(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert isinstance(load_policy(name), GcnnPolicy)
    assert load_policy(name).name == name


def test_a_name_nearly_right_is_told_the_right_one() -> None:
    with pytest.raises(UnknownNameError, match=pretrained_names()[0]):
        load_policy(pretrained_names()[0][:-1])
    with pytest.raises(PolicyError, match=pretrained_names()[0]):
        pretrained_card("none-such")


def test_every_family_has_a_policy_that_there_is() -> None:
    for family in pretrained_families():
        assert load_policy(family.policy).name == family.policy


@pytest.mark.parametrize(
    ("name", "policy"),
    [
        ("CA-milplib-judging", "gcnn-auctions"),
        ("CA-very-easy", "gcnn-auctions"),
        ("SC-milplib-judging", "gcnn-set-covers"),
        ("MIS-milplib-judging", "gcnn-independent-sets"),
        ("CFLP-milplib-judging", "gcnn-facilities"),
        ("GISP-milplib-judging", "gcnn-generalized-independent-sets"),
        ("GISP-milplib-easy", "gcnn-generalized-independent-sets"),
        ("MVC-milplib-easy", "gcnn-vertex-covers"),
    ],
)
def test_auto_gives_unseen_instances_of_its_families_their_policy(name: str, policy: str) -> None:
    auto = of_class(load_policy(AUTO), Portfolio)
    assert isinstance(auto, Portfolio)
    assert {auto.picked(unseen(name, index)).name for index in range(5)} == {policy}


@pytest.mark.parametrize(
    "name",
    [
        d.name
        for d in milplib.distributions()
        if d.generator is not None
        and "easy" in d.name
        and d.domain not in ("CA", "SC", "MIS", "MVC", "CFLP", "GISP")
        and not {"digits", "case118", "net3"} & set(d.name.split("-"))
    ],
)
def test_auto_leaves_families_it_was_not_tried_on_to_scip(name: str) -> None:
    assert of_class(load_policy(AUTO), Portfolio).picked(unseen(name)).name == "relpscost"


def test_auto_leaves_real_instances_to_scip(test_data: Path) -> None:
    auto = of_class(load_policy(AUTO), Portfolio)
    instances = [path for path in (test_data / "miplib").iterdir() if path.suffix in (".gz", ".lp")]
    assert len(instances) >= 14
    for path in instances:
        assert auto.picked(milplib.read(path)).name == "relpscost", path.name


def test_auto_solves_and_its_picking_is_part_of_the_time() -> None:
    instance = CombinatorialAuction(n_items=80, n_bids=300).generate(3)
    learned = milplib.solve(instance, policy=AUTO)
    assert learned.policy == AUTO
    assert learned.policy_calls > 0
    assert learned.policy_errors == 0
    unknown = market_split(0)
    native = milplib.solve(unknown, policy=AUTO)
    plain = milplib.solve(unknown, policy="relpscost")
    assert (native.nodes, native.lp_iterations) == (plain.nodes, plain.lp_iterations)
    assert native.observe_time > 0
    assert plain.observe_time == 0


def test_the_plugin_takes_auto_in_somebody_elses_model() -> None:
    model = CombinatorialAuction(n_items=80, n_bids=300).generate(3).to_scip()
    model.hideOutput()
    use = milplib.include_policy(model, AUTO)
    model.optimize()
    assert model.getStatus() == "optimal"
    assert use.calls > 0
    assert use.errors == 0


def test_policies_made_for_another_scip_are_left_to_scip_and_that_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "shipped"
    shutil.copytree(Path(pretrained.__file__).parent / "shipped", folder)
    for name in pretrained_names():
        content = read_policy(pretrained_file(name))
        write_policy(folder / f"{name}.safetensors", replace(content, scip_major=9))
    monkeypatch.setattr(pretrained, "_FOLDER", folder)
    with caplog.at_level(logging.WARNING, logger="milplib"):
        auto = of_class(load_policy(AUTO), Portfolio)
    assert auto.picked(unseen("CA-very-easy")).name == "relpscost"
    assert "SCIP" in caplog.text
    with pytest.raises(PolicyError, match="scip major 9"):
        load_policy(pretrained_names()[0])


def test_an_evaluation_knows_shipped_policies_by_their_files() -> None:
    name = pretrained_names()[0]
    (auto, file, _), _ = evaluated_policies([AUTO, name], baseline="relpscost")
    assert (auto.label, auto.kind, len(auto.digest)) == (AUTO, "shipped", 64)
    assert (file.label, file.kind) == (name, "file")
    assert file.digest == file_sha256(pretrained_file(name))


@pytest.mark.slow
def test_an_evaluation_says_which_shipped_policies_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "ca"
    folder.mkdir()
    from_name("CA-milplib-small").generate(3).write(folder / "ca.mps.gz")
    name = pretrained_names()[0]
    results = milplib.evaluate(
        folder, policies=[AUTO, name], time_limit=60, out=tmp_path / "results"
    )
    known = {entry["label"]: entry for entry in results.config["policies"]}
    assert known[AUTO]["kind"] == "shipped"
    assert len(known[AUTO]["sha256"]) == 64
    assert known[name]["kind"] == "file"
    assert known[name]["sha256"] == file_sha256(pretrained_file(name))
    rows = results.table.to_pylist()
    assert {row["failure"] for row in rows} == {""}
    by_policy = {row["policy"]: row for row in rows}
    assert by_policy[AUTO]["nodes"] == by_policy[name]["nodes"]


def test_the_families_file_is_plain_json_with_every_feature() -> None:
    path = Path(pretrained.__file__).parent / "shipped" / "families.json"
    for entry in json.loads(path.read_text())["families"]:
        assert entry["lower"].keys() == entry["upper"].keys()
