"""What is run: policies by name, in which order, with which limits."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from milplib.errors import ParameterError, PolicyError, UnknownNameError
from milplib.evaluation.policies import evaluated_policies
from milplib.evaluation.task import RunParameters, run_order
from milplib.policies import PolicyFile, gcnn_shapes, write_policy
from milplib.scip import BranchingState


@pytest.mark.parametrize(
    "option",
    [{"time_limit": 0}, {"time_limit": float("inf")}, {"time_limit": float("nan")}, {"grace": -1}],
)
def test_limits_must_be_positive_and_finite(option: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        RunParameters(**dict[str, Any](setting="default", time_limit=1, grace=1) | option)


def test_every_policy_runs_once_at_every_place_of_the_order_now_and_then() -> None:
    policies, _ = evaluated_policies(["pscost", "random"], baseline="relpscost")
    orders = [
        tuple(policy.label for policy in run_order(policies, instance=f"{n}.lp", seed=seed))
        for n in range(10)
        for seed in range(5)
    ]
    assert len(set(orders)) == 6
    assert all(sorted(order) == ["pscost", "random", "relpscost"] for order in orders)
    assert run_order(policies, instance="x", seed=1) == run_order(policies, instance="x", seed=1)


def policy_file(path: Path, value: float = 0.0) -> Path:
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


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    one, two = (policy_file(tmp_path / place / "gcnn.safetensors") for place in "ab")
    found, baseline = evaluated_policies([one, str(two), "pscost"], baseline="relpscost")
    assert [policy.label for policy in found] == ["a/gcnn", "b/gcnn", "pscost", "relpscost"]
    assert baseline == "relpscost"
    assert found[0].digest == found[1].digest != ""
    assert found[2].digest == ""
    alone, _ = evaluated_policies([one], baseline="relpscost")
    assert alone[0].label == "gcnn"


def test_a_file_with_the_name_of_a_rule_is_told_apart_from_it(tmp_path: Path) -> None:
    path = policy_file(tmp_path / "mine" / "relpscost.safetensors")
    found, baseline = evaluated_policies([path], baseline="relpscost")
    assert [policy.label for policy in found] == ["mine/relpscost", "relpscost"]
    assert baseline == "relpscost"


def test_a_file_can_be_the_baseline_and_runs_once(tmp_path: Path) -> None:
    path = policy_file(tmp_path / "gcnn.safetensors")
    found, baseline = evaluated_policies(["pscost", path], baseline=os.fspath(path))
    assert [policy.label for policy in found] == ["pscost", "gcnn"]
    assert baseline == "gcnn"


def test_a_policy_given_twice_is_refused(tmp_path: Path) -> None:
    path = policy_file(tmp_path / "gcnn.safetensors")
    for twice in (["pscost", "pscost"], [path, str(path)]):
        with pytest.raises(ParameterError, match="given twice"):
            evaluated_policies(twice, baseline="relpscost")


def test_no_policy_and_a_single_name_instead_of_a_list_are_refused() -> None:
    with pytest.raises(ParameterError, match="no policy"):
        evaluated_policies([], baseline="relpscost")
    with pytest.raises(ParameterError, match="give a list"):
        evaluated_policies("pscost", baseline="relpscost")


def test_unknown_names_and_files_that_are_no_policies_are_refused_before_anything_runs(
    tmp_path: Path,
) -> None:
    with pytest.raises(UnknownNameError, match="relpscost"):
        evaluated_policies(["relpcost"], baseline="relpscost")
    (tmp_path / "a.safetensors").write_bytes(b"garbage")
    with pytest.raises(PolicyError, match=r"a\.safetensors"):
        evaluated_policies([tmp_path / "a.safetensors"], baseline="relpscost")
    with pytest.raises(UnknownNameError, match="policy"):
        evaluated_policies(["pscost"], baseline="relpcost")


def test_a_policy_that_cannot_go_to_another_process_is_refused_by_name() -> None:
    with pytest.raises(PolicyError, match="define it at the top of a module"):
        evaluated_policies([_Locked()], baseline="relpscost")


class _Locked:
    name = "locked"
    state_functions = ()

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def score(self, state: BranchingState) -> Any:
        return state.candidates


def test_a_policy_of_a_prompt_or_a_cell_goes_to_other_processes_by_its_content() -> None:
    def scores(factor: int) -> Any:
        return lambda state: factor * state.candidates

    (one, _), _ = evaluated_policies([scores(1)], baseline="relpscost")
    (same, _), _ = evaluated_policies([scores(1)], baseline="relpscost")
    (two, _), _ = evaluated_policies([scores(2)], baseline="relpscost")
    assert one.digest == same.digest != two.digest


def test_a_policy_that_only_this_process_knows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    import types

    module = types.ModuleType("milplib_test_prompt")
    exec("def mine(state):\n    return state.candidates", module.__dict__)
    monkeypatch.setitem(sys.modules, "milplib_test_prompt", module)
    with pytest.raises(PolicyError, match="in a fresh process"):
        evaluated_policies([module.mine], baseline="relpscost")
