"""Which instances are judged: their names, distributions and known optima; and which seeds."""

from __future__ import annotations

from pathlib import Path

import pytest

import milplib
from milplib.errors import InstanceError, ParameterError
from milplib.library import generate_split
from milplib.library.evaluated import evaluated_instances, seed_list

LP = "minimize\nOBJ: x\nsubject to\nC: x >= 1.5\nEnd\n"


def test_of_split_folders_test_is_taken_and_the_manifest_names_the_distribution(
    tmp_path: Path,
) -> None:
    source = milplib.library.distribution("CA-milplib-small")
    for split in ("train", "test"):
        generate_split(source, split=split, count=1, out=tmp_path / "data")
    (tmp_path / "own" / "test").mkdir(parents=True)
    (tmp_path / "own" / "test" / "b.lp").write_text(LP)
    (tmp_path / "flat").mkdir()
    (tmp_path / "flat" / "a.lp").write_text(LP)
    found = evaluated_instances([tmp_path / "data", tmp_path / "own", tmp_path / "flat"])
    assert [(instance.name, instance.distribution) for instance in found] == [
        ("data/test/CA-milplib-small-test-00000.lp", "CA-milplib-small"),
        ("own/test/b.lp", "own"),
        ("flat/a.lp", "flat"),
    ]


def test_folders_of_one_name_are_distributions_of_their_own(tmp_path: Path) -> None:
    for place in ("x", "y"):
        (tmp_path / place / "ca").mkdir(parents=True)
        (tmp_path / place / "ca" / "a.lp").write_text(LP)
    found = evaluated_instances([tmp_path / "x" / "ca", tmp_path / "y" / "ca"])
    assert [instance.distribution for instance in found] == ["x/ca", "y/ca"]


def test_known_optima_are_read_beside_the_instances(test_data: Path) -> None:
    found = {i.path.name: i for i in evaluated_instances([test_data / "miplib"])}
    assert found["bell5.mps.gz"].known_objective == 8966406.49
    assert found["MANN_a9.clq.lp"].known_objective == 16
    assert found["stein27_inf.lp"].known_status == "infeasible"
    assert found["stein27_inf.lp"].known_objective is None


@pytest.mark.parametrize("text", ["name,value\na,1\n", "instance,status,objective\na,optimal,x\n"])
def test_a_damaged_file_of_optima_is_refused_by_name(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.lp").write_text(LP)
    (tmp_path / "optima.csv").write_text(text)
    with pytest.raises(InstanceError, match=r"optima\.csv, line 2"):
        evaluated_instances([tmp_path])


def test_no_folder_or_one_without_instances_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InstanceError, match="no folder"):
        evaluated_instances([])
    with pytest.raises(InstanceError, match="no instance files"):
        evaluated_instances([tmp_path])


@pytest.mark.parametrize("seeds", [0, -1, 10**8, 10**20, [], [1, 1], [-1], [2**31]])
def test_seeds_that_scip_does_not_take_are_refused(seeds: int | list[int]) -> None:
    with pytest.raises(ParameterError):
        seed_list(seeds)
