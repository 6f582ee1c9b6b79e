"""A policy beside other rules of the user's, and in copies of the model."""

from __future__ import annotations

import logging
from typing import Any

import pyscipopt
import pytest
from pyscipopt import SCIP_PARAMSETTING, SCIP_RESULT
from slow_parameters import slow

import milplib
from milplib.errors import ParameterError
from milplib.policies import PolicyUse

from .plugged import solved
from .test_life_cycle import lowest, ready


class Own(pyscipopt.Branchrule):
    """A rule of the user's, which declines below a depth."""

    def __init__(self, depth: int = 1000) -> None:
        self.calls, self.depth = 0, depth

    def branchexeclp(self, allowaddcons: bool) -> dict[str, int]:
        if self.model.getDepth() > self.depth:
            return {"result": SCIP_RESULT.DIDNOTRUN}
        self.calls += 1
        self.model.branchVar(self.model.getLPBranchCands()[0][0])
        return {"result": SCIP_RESULT.BRANCHED}


def with_own(own: Own, policy: Any, **options: Any) -> PolicyUse:
    model = ready()
    model.setHeuristics(SCIP_PARAMSETTING.OFF)
    model.includeBranchrule(own, "mine", "the user's", 200_000, -1, 1.0)
    use = milplib.include_policy(model, policy, **options)
    assert solved(model)
    model.freeTransform()
    assert solved(model)  # says nothing twice
    return use


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]


def test_a_rule_that_never_lets_another_run_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    own = Own()
    use = with_own(own, lowest, priority=150_000)
    (told,) = warnings_of(caplog)
    assert "'mine' (priority 200000) stands above the policy 'lowest' (priority 150000)" in told
    assert "has not been asked" in told
    assert use.calls == 0 < own.calls
    caplog.clear()
    own = Own()
    for policy in (lowest, "relpscost"):
        with_own(own, policy)
        (told,) = warnings_of(caplog)
        assert "'mine' (priority 200000) stands below the policy" in told
        assert own.calls == 0
        caplog.clear()


def test_rules_that_share_the_tree_are_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    own = Own(depth=2)
    use = with_own(own, lowest, priority=150_000)
    assert min(own.calls, use.calls) > 0
    own = Own()
    use = with_own(own, lowest, max_depth=2)
    assert min(own.calls, use.calls) > 0
    assert not warnings_of(caplog)


def test_copies_lack_the_policy_and_the_log_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    model = ready()
    use = milplib.include_policy(model, lowest)
    copy = pyscipopt.Model(sourceModel=model, origcopy=True)
    pyscipopt.Model(sourceModel=model, origcopy=True)
    (told,) = warnings_of(caplog)
    assert "Model(sourceModel=…)" in told
    copy.hideOutput()
    assert solved(copy)
    assert use.calls == 0
    copy.freeTransform()
    assert milplib.include_policy(copy, lowest).is_included
    model.setParam("parallel/maxnthreads", 2)
    other = ready()
    milplib.include_policy(other, lowest)
    other.solveConcurrent()
    assert len(warnings_of(caplog)) == 2


def test_sub_scips_lack_the_policy_and_the_log_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = ready()
    model.setHeuristics(SCIP_PARAMSETTING.AGGRESSIVE)
    milplib.include_policy(model, lowest)
    with caplog.at_level(logging.INFO, logger="milplib"):
        assert solved(model)
    assert ["sub-SCIPs" in record.getMessage() for record in caplog.records] == [True]


@pytest.mark.parametrize("limit", [("maxdepth", 1), ("maxbounddist", 0.0)])
def test_a_rule_that_the_user_limits_keeps_no_other_from_running(
    limit: tuple[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    own, model = Own(), ready()
    model.setParam(f"branching/relpscost/{limit[0]}", limit[1])
    model.includeBranchrule(own, "mine", "the user's", 200_000, -1, 1.0)
    milplib.include_policy(model, "relpscost")
    assert solved(model)
    assert own.calls > 0
    assert not warnings_of(caplog)


@pytest.mark.parametrize("policy", [slow(lowest), slow("pscost"), "auto"])
def test_policies_decide_in_each_solve_of_a_reoptimization(
    policy: Any, caplog: pytest.LogCaptureFixture
) -> None:
    model, plain = ready(), ready()
    for each in (model, plain):
        each.enableReoptimization()
    use = milplib.include_policy(model, policy, on_error="raise")
    calls, objectives = [0], []
    for k in (1, 2, 3):
        for each in (model, plain):
            if k > 1:
                each.freeReoptSolve()
                terms = (i % k * variable for i, variable in enumerate(each.getVars()))
                each.chgReoptObjective(pyscipopt.quicksum(terms))
            each.optimize()
            objectives.append(each.getObjVal())
        calls.append(use.calls)
    assert objectives[::2] == pytest.approx(objectives[1::2])
    assert len(set(calls)) > 2 or policy != lowest
    assert not warnings_of(caplog), "SCIP's rule for reoptimisation is not in the way"
    use.remove()
    model.freeReoptSolve()
    model.optimize()
    assert use.calls == calls[-1]


@pytest.mark.parametrize("policy", [lowest, "pscost"])
def test_another_model_object_of_the_same_scip_is_refused(policy: Any) -> None:
    model = ready()
    use = milplib.include_policy(model, policy)
    same = pyscipopt.Model.from_ptr(model.to_ptr(False), take_ownership=False)
    with pytest.raises(ParameterError, match="another Model object of the same SCIP"):
        milplib.include_policy(same, policy)
    del same
    assert solved(model)
    assert use.is_included
