"""The plugin: a policy as the branching rule of any PySCIPOpt model."""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Literal

import pyscipopt
from pyscipopt import SCIP_LPSOLSTAT, SCIP_RESULT

from milplib.errors import BranchingError, ParameterError, PolicyError
from milplib.formats.from_scip import from_scip
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
    """What happens where a policy fails."""

    FALLBACK = "fallback"
    """SCIP's own rule decides at this node."""
    RAISE = "raise"
    """The solve stops, and the error is raised."""


RULE_NAME = "milplib-policy"
_LOG = logging.getLogger("milplib")


@dataclass
class PolicyUse:
    """What became of a policy in a model, kept up to date while it solves.

    Parameters
    ----------
    policy
        The policy.
    calls
        Nodes that it branched at. Nodes of SCIP's own rules in a combination do not count.
    errors
        Nodes at which it failed and that went to SCIP's own rule.
    first_error, first_traceback
        What failed first, and where, as text: the frames themselves would keep the model alive.
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
    """Let a policy decide where a PySCIPOpt model branches.

    The model may be anybody's, before or after its problem is read or built. The policy is asked
    at nodes with a fractional LP solution, before SCIP's own rules.

    Parameters
    ----------
    model
        The model.
    policy
        A policy, or what `milplib.load_policy` makes one of: the path of a policy file, the name
        of one of SCIP's rules, with parameters or without, a function of the branching state.
    max_depth
        The largest depth at which it decides (the root has depth 0); None: at any.
    on_error
        What happens when the policy raises an exception, or gives scores that are no finite
        numbers, one a candidate. ``"fallback"``: SCIP's own rule decides at this node, which is
        counted; the first error is logged. ``"raise"``: the solve is interrupted, and
        ``model.optimize()`` raises the error with its traceback.

    Returns
    -------
    PolicyUse
        Counts of calls and errors, and times; it does not keep the model alive.

    Raises
    ------
    UnknownNameError, PolicyError, ParameterError
        If the policy is not one, or an option is outside its domain; or the model has a policy
        already.

    Notes
    -----
    Sub-SCIPs, in which heuristics solve smaller copies, use SCIP's own rules. In a `Switch` or
    a `Portfolio` one of SCIP's rules runs natively; its priority is raised while it is its turn.

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
    if on_error not in tuple(OnError):
        raise ParameterError(f"on_error is {on_error!r}; it must be 'fallback' or 'raise'")
    if max_depth is not None and max_depth < 0:
        raise ParameterError(f"the largest depth is {max_depth}; it must not be negative")
    policy = load_policy(policy)
    known = branching_rule_names(model)
    rules = [part for part in parts(policy) if isinstance(part, ScipRule)]
    values = [rule_values(model, rule) for rule in rules]
    native_module()  # what is wrong with it is told before the solve
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
            Turns(rule.policy_at, rules, depth), f"{RULE_NAME}-turns", "whose turn it is to branch"
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
        """Forget what was picked for another problem."""
        self._picks.clear()

    def decide(self) -> int:
        """Branch on the candidate that the policy scores best."""
        use, model = self._use, self.model
        begin = perf_counter()
        if model.getLPSolstat() != SCIP_LPSOLSTAT.OPTIMAL or model.getNLPBranchCands() == 0:
            return int(SCIP_RESULT.DIDNOTRUN)  # there is nothing here that a policy could judge
        try:
            policy = self.policy_at(model)
            if isinstance(policy, ScipRule):
                return int(SCIP_RESULT.DIDNOTRUN)  # it is the next one in line
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
        """Let one native call do it all; its parts' times are its own, the rest is observing."""
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
        """Tell which part of a combination decides at the current node."""
        policy = self._use.policy
        while isinstance(policy, Switch | Portfolio):
            if isinstance(policy, Switch):
                policy = policy.at(depth=model.getDepth(), nodes=model.getNTotalNodes())
            else:
                policy = self._picked(policy)
        return policy

    def _picked(self, portfolio: Portfolio) -> AnyPolicy:
        """Pick once a solve, since an instance has to be made of the model for it."""
        key = id(portfolio)
        if key not in self._picks:
            try:
                self._picks[key] = portfolio.picked(_instance_of(self.model))
            except PolicyError as error:
                self._picks[key] = error.with_traceback(None)
        found = self._picks[key]
        if isinstance(found, PolicyError):
            raise found
        return found

    def _count(self, error: Exception) -> None:
        use = self._use
        use.errors += 1
        if use.first_error is None:
            use.first_traceback = "".join(traceback.format_exception(error))
            _LOG.warning(
                "the policy '%s' failed; SCIP's own rule decides at this node, and wherever it "
                "fails again (on_error='raise' stops instead):\n%s",
                use.policy.name,
                use.first_traceback,  # as text: a handler may keep it, and frames keep the model
            )
            use.first_error = error.with_traceback(None)


def _instance_of(model: pyscipopt.Model) -> Instance:
    try:
        return from_scip(model)
    except Exception as error:
        raise PolicyError(f"a Portfolio needs a linear problem to pick by: {error}") from error
