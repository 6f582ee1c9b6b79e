"""A policy beside other rules of the user's, and in copies of the model."""

from __future__ import annotations

import logging
from typing import Any

import pyscipopt
import pytest
from pyscipopt import SCIP_PARAMSETTING, SCIP_RESULT

import milplib
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
