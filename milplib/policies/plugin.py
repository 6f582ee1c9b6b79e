"""SCIP plugin that runs a policy as the branching rule of a PySCIPOpt model."""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Literal

import pyscipopt
from pyscipopt import SCIP_LPSOLSTAT, SCIP_RESULT

from milplib.arguments import check_arguments, given
from milplib.errors import BranchingError, ParameterError, PolicyError
from milplib.formats.from_scip import from_scip
from milplib.formats.scip_fields import is_scip_model
from milplib.outcomes import Word
from milplib.policies.choice import best_candidate, checked_scores
from milplib.policies.combinations import AnyPolicy, Portfolio, Switch, parts
from milplib.policies.compiled import CompiledGcnn
from milplib.policies.gcnn import GcnnPolicy
from milplib.policies.loading import load_policy
from milplib.policies.policy import Policy, ScipRule
from milplib.policies.rules import rule_values
from milplib.policies.turns import Turns
from milplib.scip.extraction import branching_candidates, extract_state
from milplib.scip.native import native_at, native_module
from milplib.scip.rule import GuardedRule
from milplib.scip.settings import branching_rule_names, use_branching_rule

if TYPE_CHECKING:
    from milplib.instance import Instance

__all__ = ["OnError", "PolicyUse", "include_policy"]


class OnError(Word):
    """Reaction to a failure of a policy at a node."""

    FALLBACK = "fallback"
    """SCIP's own rule decides at this node."""
    RAISE = "raise"
    """The solve stops, and the error is raised."""


RULE_NAME = "milplib-policy"
_LOG = logging.getLogger("milplib")


@dataclass
class PolicyUse:
    """Counts and times of a policy in a model, updated during the solve.

    Parameters
    ----------
    policy
        The policy.
    calls
        Number of nodes at which the policy branched. Nodes of SCIP rules in a combination do not
        count.
    errors
        Number of nodes at which the policy failed, so that SCIP's own rule decided.
    first_error, first_traceback
        First error, and its traceback as text. Its frames would keep the model alive.
    observe_time, score_time, branch_time
        Wall-clock seconds spent on extracting states, on scoring and choosing, and on branching.
    """

    policy: AnyPolicy
    calls: int = 0
    errors: int = 0
    first_error: Exception | None = field(default=None, repr=False)
    first_traceback: str = field(default="", repr=False)
    observe_time: float = 0.0
    score_time: float = 0.0
    branch_time: float = 0.0

    @property
    def time(self) -> float:
        """Wall-clock seconds spent in the policy's callbacks."""
        return self.observe_time + self.score_time + self.branch_time


def include_policy(
    model: pyscipopt.Model,
    policy: object,
    *,
    max_depth: int | None = None,
    on_error: OnError | Literal["fallback", "raise"] = OnError.FALLBACK,
) -> PolicyUse:
    """Let a policy branch in a PySCIPOpt model.

    The model may come from any source, and its problem may be read or built before or after this
    call. The policy decides at nodes with a fractional LP solution, before SCIP's own rules.

    Parameters
    ----------
    model
        The model.
    policy
        Policy, or any value that `milplib.load_policy` accepts: the path of a policy file, the name
        of a SCIP rule with or without parameters, a function of the branching state.
    max_depth
        Largest depth at which the policy decides (the root has depth 0). None means no limit.
    on_error
        Reaction if the policy raises an exception, or does not return one finite score per
        candidate. With ``"fallback"``, SCIP's own rule decides at this node; failures are
        counted, and the first one is logged. With ``"raise"``, the solve is interrupted, and
        ``model.optimize()`` raises the error with its traceback.

    Returns
    -------
    PolicyUse
        Counts of calls and errors, and times. It does not keep the model alive.

    Raises
    ------
    UnknownNameError, PolicyError, ParameterError
        If the policy is invalid, an option is outside its domain, or the model already has a
        policy.

    Notes
    -----
    Sub-SCIPs, in which heuristics solve smaller copies, use SCIP's own rules. In a `Switch` or
    a `Portfolio`, SCIP itself runs a SCIP rule; milplib raises its priority at its nodes.

    Examples
    --------
    >>> import pyscipopt
    >>> from milplib.generators import CombinatorialAuction
    >>> from milplib.scip import VariableFeature
    >>> model = CombinatorialAuction(n_items=60, n_bids=250).generate(seed=1).to_scip()
    >>> model.hideOutput()
    >>> def most_fractional(state):
    ...     fraction = state.variable_features[state.candidates, VariableFeature.FRACTIONALITY]
    ...     return 0.5 - abs(fraction - 0.5)
    >>> use = include_policy(model, most_fractional)
    >>> model.optimize()
    >>> use.calls > 0, use.errors
    (True, 0)
    """
    check_arguments(include_policy, locals())
    if not is_scip_model(model):
        raise ParameterError(f"the model is {given(model)}; give a pyscipopt.Model")
    if not isinstance(on_error, str) or on_error not in tuple(OnError):
        raise ParameterError(f"on_error is {given(on_error)}; it must be 'fallback' or 'raise'")
    if max_depth is not None and max_depth < 0:
        raise ParameterError(f"the largest depth is {max_depth}; it must not be negative")
    policy = load_policy(policy)
    known = branching_rule_names(model)
    rules = [part for part in parts(policy) if isinstance(part, ScipRule)]
    values = [rule_values(model, rule) for rule in rules]
    native_module()  # report broken native code before the solve starts
    use = PolicyUse(policy)
    depth = -1 if max_depth is None else max_depth
    if isinstance(policy, ScipRule):
        use_branching_rule(model, policy.rule)
        model.setParam(f"branching/{policy.rule}/maxdepth", depth)
        for name, value in values[0].items():
            model.setParam(name, value)
        return use
    if RULE_NAME in known:
        raise ParameterError(
            "this model has a milplib policy already: combine policies with Switch or Portfolio, "
            "or make another model"
        )
    rule = PolicyRule(use, strict=on_error == OnError.RAISE)
    rule.include(model, RULE_NAME, max_depth=depth)
    if rules:
        model.includeEventhdlr(
            Turns(rule.policy_at, rules, depth), f"{RULE_NAME}-turns", "selects the SCIP rule"
        )
    return use


class PolicyRule(GuardedRule):
    """A milplib policy."""

    def __init__(self, use: PolicyUse, *, strict: bool) -> None:
        super().__init__()
        self._use = use
        self._strict = strict
        self._picks: dict[int, AnyPolicy | PolicyError] = {}

    def branchinitsol(self) -> None:
        """Forget the picks for a previous problem."""
        self._picks.clear()

    def decide(self) -> int:
        """Branch on the candidate that the policy scores best."""
        use, model = self._use, self.model
        begin = perf_counter()
        if model.getLPSolstat() != SCIP_LPSOLSTAT.OPTIMAL or model.getNLPBranchCands() == 0:
            return int(SCIP_RESULT.DIDNOTRUN)  # a policy has nothing to score here
        try:
            policy = self.policy_at(model)
            if isinstance(policy, ScipRule):
                return int(SCIP_RESULT.DIDNOTRUN)  # SCIP calls this rule next
            if isinstance(policy, GcnnPolicy) and native_at(model) is not None:
                native = policy.native_decision()
                if native is not None:
                    return self._decide_natively(native, policy.name, begin)
            candidates = branching_candidates(model)
            state = extract_state(model, state_functions=tuple(policy.state_functions))
            observed = perf_counter()
            use.observe_time += observed - begin
            scores = checked_scores(policy.score(state), len(state.candidates), policy=policy.name)
            best = best_candidate(scores, state.candidates)
        except Exception as error:
            if self._strict or isinstance(error, BranchingError):
                raise
            self._count(error)
            return int(SCIP_RESULT.DIDNOTRUN)
        scored = perf_counter()
        use.score_time += scored - observed
        model.branchVar(candidates[best])
        use.branch_time += perf_counter() - scored
        use.calls += 1
        return int(SCIP_RESULT.BRANCHED)

    def _decide_natively(self, native: CompiledGcnn, name: str, begin: float) -> int:
        """Decide in one native call; time outside its scoring and branching counts as observing."""
        try:
            _, score_time, branch_time = native.decide(self.model)
        except ValueError as error:
            raise PolicyError(f"the policy '{name}' {error}") from error
        use = self._use
        use.score_time += score_time
        use.branch_time += branch_time
        use.observe_time += perf_counter() - begin - score_time - branch_time
        use.calls += 1
        return int(SCIP_RESULT.BRANCHED)

    def policy_at(self, model: pyscipopt.Model) -> Policy | ScipRule:
        """Return the part of a combination that decides at the current node."""
        policy = self._use.policy
        while isinstance(policy, Switch | Portfolio):
            if isinstance(policy, Switch):
                policy = policy.at(depth=model.getDepth(), nodes=model.getNTotalNodes())
            else:
                policy = self._picked(policy)
        return policy

    def _picked(self, portfolio: Portfolio) -> AnyPolicy:
        """Pick once per solve, because picking converts the model to an instance."""
        key = id(portfolio)
        if key not in self._picks:
            try:
                self._picks[key] = portfolio.picked(_instance_of(self.model))
            except PolicyError as error:
                self._picks[key] = error.with_traceback(None)
        picked = self._picks[key]
        if isinstance(picked, PolicyError):
            raise picked
        return picked

    def _count(self, error: Exception) -> None:
        use = self._use
        use.errors += 1
        if use.first_error is None:
            use.first_traceback = "".join(traceback.format_exception(error))
            _LOG.warning(
                "the policy '%s' failed; SCIP's own rule decides at this node, and wherever it "
                "fails again (on_error='raise' stops instead):\n%s",
                use.policy.name,
                use.first_traceback,  # text, because kept frames would keep the model alive
            )
            use.first_error = error.with_traceback(None)


def _instance_of(model: pyscipopt.Model) -> Instance:
    try:
        return from_scip(model)
    except Exception as error:
        raise PolicyError(f"a Portfolio needs a linear problem to pick by: {error}") from error
