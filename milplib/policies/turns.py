"""Event handler that lets SCIP rules decide at their nodes in a combination of policies."""

from __future__ import annotations

from collections.abc import Callable

import pyscipopt
from pyscipopt import SCIP_EVENTTYPE

from milplib.policies.policy import Policy, ScipRule
from milplib.policies.rules import rule_values
from milplib.scip.parameters import ParameterValue
from milplib.scip.rule import PRIORITY
from milplib.scip.settings import use_branching_rule

__all__ = ["Turns"]

_KEYS = ("priority", "maxdepth", "maxbounddist")


class Turns(pyscipopt.Eventhdlr):
    """Event handler that raises the priority of the SCIP rule that decides at a node.

    SCIP sorts its rules before it calls the first one at a node, so priorities must change when
    SCIP enters the node.
    """

    def __init__(
        self,
        policy_at: Callable[[pyscipopt.Model], Policy | ScipRule],
        rules: list[ScipRule],
        max_depth: int,
    ) -> None:
        self._policy_at = policy_at
        self._rules = rules
        self._max_depth = max_depth
        self._before: dict[str, ParameterValue] = {}
        self._values: dict[str, dict[str, ParameterValue]] = {}
        self._current = ""

    def eventinit(self) -> None:
        """Store the user's parameters of the rules, and catch the events."""
        self._before = {}
        self._values = {rule.name: rule_values(self.model, rule) for rule in self._rules}
        for rule in self._rules:
            ours = (f"branching/{rule.rule}/{key}" for key in _KEYS)
            for name in (*ours, *self._values[rule.name]):
                self._before[name] = self.model.getParam(name)
        self._current = ""
        self.model.catchEvent(SCIP_EVENTTYPE.NODEFOCUSED, self)

    def eventexit(self) -> None:
        """Restore the user's parameters of the rules."""
        self._restore()

    def eventexec(self, event: pyscipopt.scip.Event) -> None:
        """Set the priorities and parameters for the entered node."""
        turn = None
        if self._max_depth < 0 or self.model.getDepth() <= self._max_depth:
            try:
                policy = self._policy_at(self.model)
            except Exception:  # the branching rule meets and reports the same error
                return
            turn = policy if isinstance(policy, ScipRule) else None
        name = turn.name if turn else ""
        if name == self._current:
            return
        self._restore()
        if turn:
            use_branching_rule(self.model, turn.rule)
            self.model.setParam(f"branching/{turn.rule}/priority", PRIORITY - 1)
            for parameter, value in self._values[name].items():
                self.model.setParam(parameter, value)
        self._current = name

    def _restore(self) -> None:
        for name, value in self._before.items():
            self.model.setParam(name, value)
        self._current = ""
