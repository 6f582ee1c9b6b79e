"""Event handler of a policy: turns of SCIP rules, rules in the way, copies of the model."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import pyscipopt
from pyscipopt import SCIP_EVENTTYPE, SCIP_STAGE

from milplib.policies.combinations import Portfolio, parts
from milplib.policies.picked import SCIPS_OWN
from milplib.policies.policy import ScipRule
from milplib.policies.policy_rule import PolicyRule
from milplib.policies.rules import rule_values, scip_rule_names
from milplib.policies.use import PolicyOptions, PolicyUse
from milplib.scip.parameter_changes import ParameterChanges
from milplib.scip.parameters import ParameterValue
from milplib.scip.plugins import WeakModel
from milplib.scip.settings import branching_rule_names

__all__ = ["PolicyEvents", "Watched"]

_LOG = logging.getLogger("milplib")

PATIENCE = 10
"""Number of branched nodes after which a policy that has not been asked is reported."""

# SCIP's rule that restores the nodes of earlier solves, and declines at all others.
_REOPTIMIZATION = "nodereopt"

# Stages in which SCIP itself copies the model for a smaller solve.
_SUB_SCIP = frozenset(
    {
        SCIP_STAGE.INITPRESOLVE,
        SCIP_STAGE.PRESOLVING,
        SCIP_STAGE.EXITPRESOLVE,
        SCIP_STAGE.INITSOLVE,
        SCIP_STAGE.SOLVING,
    }
)


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A policy in a model, as its event handler sees it.

    Parameters
    ----------
    use, options
        The policy and its options.
    name
        Name of the branching rule in the model that runs the policy.
    rule
        The branching rule; None if it is one of SCIP's.
    """

    use: PolicyUse
    options: PolicyOptions
    name: str
    rule: PolicyRule | None

    @property
    def turns(self) -> tuple[ScipRule, ...]:
        """SCIP rules that take turns with other policies."""
        policy = self.use.policy
        if isinstance(policy, ScipRule):
            return ()
        return tuple(part for part in parts(policy) if isinstance(part, ScipRule))


class PolicyEvents(WeakModel, pyscipopt.Eventhdlr):  # type: ignore[misc, unused-ignore]
    """Event handler that raises the priority of the SCIP rule that decides at a node.

    SCIP sorts its rules before it calls the first one at a node, so priorities must change when
    SCIP enters the node. The handler also reports a rule that keeps another one from running, and
    copies of the model, which lack the policy.
    """

    def __init__(self) -> None:
        self._watched: Watched | None = None
        self._turn = ParameterChanges()
        self._current = ""
        self._values: dict[str, dict[str, ParameterValue]] = {}
        self._branched = 0
        self._above: list[tuple[str, int]] = []
        self._below: list[tuple[str, int]] = []
        self._said: set[str] = set()

    def start(self, watched: Watched) -> None:
        """Serve a policy from now on."""
        self._watched = watched
        self._said = set()

    def stop(self) -> None:
        """Serve no policy from now on."""
        self._end_turn()
        self._watched = None

    def forget(self) -> None:
        """Serve no policy from now on, and leave the model alone."""
        self._watched = None

    def eventinit(self) -> None:
        """Look for rules in the way of each other, and catch the events that are needed."""
        watched, model = self._watched, self.model
        self._branched, self._above, self._below = 0, [], []
        if watched is None:
            return
        self._find_rivals(watched)
        if watched.turns:
            self._values = {rule.name: rule_values(model, rule) for rule in watched.turns}
            model.catchEvent(SCIP_EVENTTYPE.NODEFOCUSED, self)
        if self._above or self._below:
            model.catchEvent(SCIP_EVENTTYPE.NODEBRANCHED, self)

    def eventexit(self) -> None:
        """Restore the user's parameters of the rules."""
        if self._watched is not None and self._branched and self.model is not None:
            self._report_rivals(self._watched)
        self._end_turn()

    def eventexec(self, event: pyscipopt.scip.Event) -> None:
        """Set the priorities and parameters for the entered node, or count a branched one."""
        watched = self._watched
        if watched is None:
            return
        if event.getType() == SCIP_EVENTTYPE.NODEFOCUSED:
            self._begin_turn(watched)
            return
        self._branched += 1
        if self._branched == PATIENCE:
            self._report_rivals(watched)

    def eventcopy(self) -> None:
        """Say once that a copy of the model lacks the policy."""
        watched, model = self._watched, self.model
        if watched is None or model is None or isinstance(watched.use.policy, ScipRule):
            return  # copies take over the parameters of SCIP's rules
        name, picked = watched.use.policy.name, watched.use.picked
        if model.getStage() in _SUB_SCIP:
            if isinstance(watched.use.policy, Portfolio) and (
                picked is None or picked.policy == SCIPS_OWN
            ):
                return  # a portfolio that steps aside is no loss
            self._say(
                "sub-SCIPs",
                logging.INFO,
                f"sub-SCIPs, in which SCIP solves smaller copies of the model, branch by SCIP's "
                f"own rules and not by the policy '{name}'",
            )
        else:
            self._say(
                "copies",
                logging.WARNING,
                "copies of the model, by Model(sourceModel=…) or solveConcurrent(), lack the "
                f"policy '{name}': call include_policy on the copy, and optimize() instead of "
                "solveConcurrent()",
            )

    def _begin_turn(self, watched: Watched) -> None:
        model, deepest = self.model, watched.options.max_depth
        turn = None
        if deepest is None or model.getDepth() <= deepest:
            try:
                policy = watched.rule.policy_at(model) if watched.rule else None
            except Exception:  # the branching rule meets and reports the same error
                return
            turn = policy if isinstance(policy, ScipRule) else None
        name = turn.name if turn else ""
        if name == self._current:
            return
        self._end_turn()
        if turn:
            priority = f"branching/{turn.rule}/priority"
            self._turn.set(model, priority, watched.options.priority - 1)
            for parameter, value in self._values[name].items():
                self._turn.set(model, parameter, value)
        self._current = name

    def _end_turn(self) -> None:
        model = self.model
        if model is not None:
            self._turn.undo(model)
        self._current = ""

    def _find_rivals(self, watched: Watched) -> None:
        """Find the rules above the policy, and the user's rules that it keeps from running."""
        model, ours = self.model, watched.options.priority
        priorities = {
            name: model.getParam(f"branching/{name}/priority")
            for name in branching_rule_names(model)
            if name not in (watched.name, _REOPTIMIZATION) and not name.startswith("milplib-")
        }
        scips = max(priorities[name] for name in scip_rule_names() if name in priorities)
        for name, priority in priorities.items():
            if priority >= ours and model.getParam(f"branching/{name}/maxdepth") == -1:
                self._above.append((name, priority))
            elif name not in scip_rule_names() and scips < priority < ours:
                # Rules below SCIP's first one do not run without a policy either.
                self._below.append((name, priority))

    def _report_rivals(self, watched: Watched) -> None:
        ours, name = watched.options.priority, watched.use.policy.name
        is_native = watched.rule is None
        ran = watched.rule is None or watched.rule.asked > 0
        if self._above and (is_native or not ran):
            rule, priority = max(self._above, key=lambda rival: rival[1])
            self._say(
                "above",
                logging.WARNING,
                f"the branching rule '{rule}' (priority {priority}) stands above the policy "
                f"'{name}' (priority {ours}), which only decides where that rule does not"
                + ("" if ran else f", and has not been asked at {self._branched} nodes")
                + ": raise the policy's priority by include_policy(…, priority=…), or lower the "
                "rule's",
            )
        rule = f"branching/{watched.name}"
        is_limited = (
            self.model.getParam(f"{rule}/maxdepth") != -1
            or self.model.getParam(f"{rule}/maxbounddist") < 1
        )
        if self._below and (watched.use.calls > 0 or is_native) and not is_limited:
            rule, priority = max(self._below, key=lambda rival: rival[1])
            self._say(
                "below",
                logging.WARNING,
                f"the branching rule '{rule}' (priority {priority}) stands below the policy "
                f"'{name}' (priority {ours}), which decides wherever it can: lower the policy's "
                "priority by include_policy(…, priority=…), or limit it by max_depth",
            )

    def _say(self, kind: str, level: int, message: str) -> None:
        if kind not in self._said:
            self._said.add(kind)
            _LOG.log(level, message)
