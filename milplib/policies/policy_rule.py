"""Branching rule that asks a policy."""

from __future__ import annotations

import logging
import traceback
from time import perf_counter

import pyscipopt
from pyscipopt import SCIP_LPSOLSTAT, SCIP_RESULT

from milplib.errors import BranchingError, PolicyError
from milplib.policies.choice import best_candidate, checked_scores
from milplib.policies.combinations import AnyPolicy, Portfolio, Switch
from milplib.policies.compiled import CompiledGcnn
from milplib.policies.gcnn import GcnnPolicy
from milplib.policies.picked import SCIPS_OWN
from milplib.policies.picking import explained_in_model
from milplib.policies.policy import Policy, ScipRule
from milplib.policies.use import PolicyUse
from milplib.scip.extraction import branching_candidates, extract_state
from milplib.scip.native import native_at
from milplib.scip.plugins import strip_frames
from milplib.scip.rule import GuardedRule

__all__ = ["PolicyRule"]

_LOG = logging.getLogger("milplib")


class PolicyRule(GuardedRule):
    """A milplib policy."""

    def __init__(self) -> None:
        super().__init__()
        self._use: PolicyUse | None = None
        self._strict = False
        self._picks: dict[int, AnyPolicy | PolicyError | None] = {}
        self.asked = 0
        """Number of nodes of the solve at which SCIP called the rule."""

    def start(self, use: PolicyUse, *, strict: bool) -> None:
        """Ask a policy from now on."""
        self._use, self._strict = use, strict
        self._picks.clear()
        self.asked = 0

    def stop(self) -> None:
        """Ask no policy from now on."""
        self._use = None
        self._picks.clear()

    def branchinit(self) -> None:
        """Count from the beginning of each solve."""
        self.asked = 0

    def branchinitsol(self) -> None:
        """Forget the picks for a previous problem."""
        self._picks.clear()

    def decide(self) -> int:
        """Branch on the candidate that the policy scores best."""
        use, model = self._use, self.model
        if use is None:
            return int(SCIP_RESULT.DIDNOTRUN)
        self.asked += 1
        begin = perf_counter()
        if model.getLPSolstat() != SCIP_LPSOLSTAT.OPTIMAL or model.getNLPBranchCands() == 0:
            return int(SCIP_RESULT.DIDNOTRUN)  # a policy has nothing to score here
        try:
            policy = self.policy_at(model)
            if policy is None or isinstance(policy, ScipRule):
                return int(SCIP_RESULT.DIDNOTRUN)  # SCIP calls the next rule
            if isinstance(policy, GcnnPolicy) and native_at(model) is not None:
                native = policy.native_decision()
                if native is not None:
                    return self._decide_natively(use, native, policy.name, begin)
            candidates = branching_candidates(model)
            state = extract_state(model, state_functions=tuple(policy.state_functions))
            observed = perf_counter()
            use.observe_time += observed - begin
            scores = checked_scores(policy.score(state), len(state.candidates), policy=policy.name)
            best = best_candidate(scores, state.candidates)
        except Exception as error:
            if self._strict or isinstance(error, BranchingError):
                raise
            _count(use, error)
            return int(SCIP_RESULT.DIDNOTRUN)
        scored = perf_counter()
        use.score_time += scored - observed
        model.branchVar(candidates[best])
        use.branch_time += perf_counter() - scored
        use.calls += 1
        return int(SCIP_RESULT.BRANCHED)

    def _decide_natively(
        self, use: PolicyUse, native: CompiledGcnn, name: str, begin: float
    ) -> int:
        """Decide in one native call; time outside its scoring and branching counts as observing."""
        try:
            _, score_time, branch_time = native.decide(self.model)
        except ValueError as error:
            raise PolicyError(f"the policy '{name}' {error}") from error
        use.score_time += score_time
        use.branch_time += branch_time
        use.observe_time += perf_counter() - begin - score_time - branch_time
        use.calls += 1
        return int(SCIP_RESULT.BRANCHED)

    def policy_at(self, model: pyscipopt.Model) -> Policy | ScipRule | None:
        """Return the part of a combination that decides at the current node.

        None means that no policy decides: there is none, or a portfolio steps aside.
        """
        policy = None if self._use is None else self._use.policy
        while isinstance(policy, Switch | Portfolio):
            if isinstance(policy, Switch):
                policy = policy.at(depth=model.getDepth(), nodes=model.getNTotalNodes())
            else:
                policy = self._picked(policy)
        return policy

    def _picked(self, portfolio: Portfolio) -> AnyPolicy | None:
        """Pick once per run, because picking converts the model to an instance."""
        key = id(portfolio)
        if key not in self._picks:
            self._picks[key] = self._pick(portfolio)
        picked = self._picks[key]
        if isinstance(picked, PolicyError):
            raise PolicyError(*picked.args)  # a copy, whose traceback nothing keeps
        return picked

    def _pick(self, portfolio: Portfolio) -> AnyPolicy | PolicyError | None:
        use = self._use
        begin = perf_counter()
        try:
            policy, picked = explained_in_model(portfolio, self.model)
        except PolicyError as error:
            strip_frames(error)
            return error
        if use is not None:
            use.observe_time += perf_counter() - begin
            if use.picked != picked:  # a restart picks again
                words = "leaves branching to" if picked.policy == SCIPS_OWN else "picked"
                _LOG.info("the policy '%s' %s %s", portfolio.name, words, picked)
            use.picked = picked
        return policy


def _count(use: PolicyUse, error: Exception) -> None:
    use.errors += 1
    if use.first_error is None:
        use.first_traceback = "".join(traceback.format_exception(error))
        _LOG.warning(
            "the policy '%s' failed; SCIP's own rule decides at this node, and wherever it "
            "fails again (on_error='raise' stops instead):\n%s",
            use.policy.name,
            use.first_traceback,  # text, because kept frames would keep the model alive
        )
        use.first_error = error
    strip_frames(error)
