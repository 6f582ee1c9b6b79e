"""What is run: instances with their distributions, policies by name, in which order."""

from __future__ import annotations

import os

import pytest

import milplib
from milplib.errors import InstanceError, ParameterError, PolicyError, UnknownNameError
from milplib.evaluation.plan import RunParameters, evaluated_instances, run_order, seed_list
from milplib.evaluation.policies import evaluated_policies
from milplib.library import generate_split
from milplib.policies import PolicyFile, gcnn_shapes, write_policy

LP = "minimize\nOBJ: x\nsubject to\nC: x >= 1.5\nEnd\n"


def test_of_split_folders_test_is_taken_and_the_manifest_names_the_distribution(tmp_path):
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


def test_folders_of_one_name_are_distributions_of_their_own(tmp_path):
    for place in ("x", "y"):
        (tmp_path / place / "ca").mkdir(parents=True)
        (tmp_path / place / "ca" / "a.lp").write_text(LP)
    found = evaluated_instances([tmp_path / "x" / "ca", tmp_path / "y" / "ca"])
    assert [instance.distribution for instance in found] == ["x/ca", "y/ca"]


def test_known_optima_are_read_beside_the_instances(test_data):
    found = {i.path.name: i for i in evaluated_instances([test_data / "miplib"])}
    assert found["bell5.mps.gz"].known_objective == 8966406.49
    assert found["MANN_a9.clq.lp"].known_objective == 16
    assert found["stein27_inf.lp"].known_status == "infeasible"
    assert found["stein27_inf.lp"].known_objective is None


@pytest.mark.parametrize("text", ["name,value\na,1\n", "instance,status,objective\na,optimal,x\n"])
def test_a_damaged_file_of_optima_is_refused_by_name(text, tmp_path):
    (tmp_path / "a.lp").write_text(LP)
    (tmp_path / "optima.csv").write_text(text)
    with pytest.raises(InstanceError, match=r"optima\.csv, line 2"):
        evaluated_instances([tmp_path])


def test_no_folder_or_one_without_instances_is_refused(tmp_path):
    with pytest.raises(InstanceError, match="no folder"):
        evaluated_instances([])
    with pytest.raises(InstanceError, match="no instance files"):
        evaluated_instances([tmp_path])


@pytest.mark.parametrize("seeds", [0, -1, [], [1, 1], [-1], [2**31]])
def test_seeds_that_scip_does_not_take_are_refused(seeds):
    with pytest.raises(ParameterError):
        seed_list(seeds)


@pytest.mark.parametrize(
    "option",
    [{"time_limit": 0}, {"time_limit": float("inf")}, {"time_limit": float("nan")}, {"grace": -1}],
)
def test_limits_must_be_positive_and_finite(option):
    with pytest.raises(ParameterError):
        RunParameters(**{"setting": "default", "time_limit": 1, "grace": 1} | option)


def test_every_policy_runs_once_at_every_place_of_the_order_now_and_then():
    policies, _ = evaluated_policies(["pscost", "random"], baseline="relpscost")
    orders = [
        tuple(policy.label for policy in run_order(policies, instance=f"{n}.lp", seed=seed))
        for n in range(10)
        for seed in range(5)
    ]
    assert len(set(orders)) == 6
    assert all(sorted(order) == ["pscost", "random", "relpscost"] for order in orders)
    assert run_order(policies, instance="x", seed=1) == run_order(policies, instance="x", seed=1)


def policy_file(path, value=0.0):
    import numpy as np

    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {
        name: np.full(shape, value, dtype=np.float32) for name, shape in gcnn_shapes(4, 0).items()
    }
    content = PolicyFile(
        architecture="gcnn",
        hyperparameters={"hidden": 4},
        blocks=(),
        provenance={},
        tensors=tensors,
    )
    write_policy(path, content)
    return path


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path):
    one, two = (policy_file(tmp_path / place / "gcnn.safetensors") for place in "ab")
    found, baseline = evaluated_policies([one, str(two), "pscost"], baseline="relpscost")
    assert [policy.label for policy in found] == ["a/gcnn", "b/gcnn", "pscost", "relpscost"]
    assert baseline == "relpscost"
    assert found[0].digest == found[1].digest != ""
    assert found[2].digest == ""
    alone, _ = evaluated_policies([one], baseline="relpscost")
    assert alone[0].label == "gcnn"


def test_a_file_with_the_name_of_a_rule_is_told_apart_from_it(tmp_path):
    path = policy_file(tmp_path / "mine" / "relpscost.safetensors")
    found, baseline = evaluated_policies([path], baseline="relpscost")
    assert [policy.label for policy in found] == ["mine/relpscost", "relpscost"]
    assert baseline == "relpscost"


def test_a_file_can_be_the_baseline_and_runs_once(tmp_path):
    path = policy_file(tmp_path / "gcnn.safetensors")
    found, baseline = evaluated_policies(["pscost", path], baseline=os.fspath(path))
    assert [policy.label for policy in found] == ["pscost", "gcnn"]
    assert baseline == "gcnn"


def test_a_policy_given_twice_is_refused(tmp_path):
    path = policy_file(tmp_path / "gcnn.safetensors")
    for twice in (["pscost", "pscost"], [path, str(path)]):
        with pytest.raises(ParameterError, match="given twice"):
            evaluated_policies(twice, baseline="relpscost")


def test_no_policy_and_a_single_name_instead_of_a_list_are_refused():
    with pytest.raises(ParameterError, match="no policy"):
        evaluated_policies([], baseline="relpscost")
    with pytest.raises(ParameterError, match="give a list"):
        evaluated_policies("pscost", baseline="relpscost")


def test_unknown_names_and_files_that_are_no_policies_are_refused_before_anything_runs(tmp_path):
    with pytest.raises(UnknownNameError, match="relpscost"):
        evaluated_policies(["relpcost"], baseline="relpscost")
    (tmp_path / "a.safetensors").write_bytes(b"garbage")
    with pytest.raises(PolicyError, match=r"a\.safetensors"):
        evaluated_policies([tmp_path / "a.safetensors"], baseline="relpscost")
    with pytest.raises(UnknownNameError, match="policy"):
        evaluated_policies(["pscost"], baseline="relpcost")


def test_a_policy_that_cannot_go_to_another_process_is_refused_by_name():
    with pytest.raises(PolicyError, match="define it at the top of a module"):
        evaluated_policies([lambda state: state.candidates], baseline="relpscost")


def test_a_policy_that_only_this_process_knows_is_refused(monkeypatch):
    import sys
    import types

    module = types.ModuleType("milplib_test_prompt")
    exec("def mine(state):\n    return state.candidates", module.__dict__)
    monkeypatch.setitem(sys.modules, "milplib_test_prompt", module)
    with pytest.raises(PolicyError, match="in a fresh process"):
        evaluated_policies([module.mine], baseline="relpscost")
