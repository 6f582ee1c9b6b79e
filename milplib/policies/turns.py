"""Nodes that a combination of policies leaves to one of SCIP's own rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
    """Puts the SCIP rule whose turn it is at a node before all others.

    SCIP sorts its rules before it asks the first one at a node, so this has to happen when the
    node is entered.
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
        self._before: dict[str, Any] = {}
        self._values: dict[str, dict[str, ParameterValue]] = {}
        self._current = ""

    def eventinit(self) -> None:
        """Begin to watch, with the rules as the user has them."""
        self._before = {}
        self._values = {rule.name: rule_values(self.model, rule) for rule in self._rules}
        for rule in self._rules:
            ours = (f"branching/{rule.rule}/{key}" for key in _KEYS)
            for name in (*ours, *self._values[rule.name]):
                self._before[name] = self.model.getParam(name)
        self._current = ""
        self.model.catchEvent(SCIP_EVENTTYPE.NODEFOCUSED, self)

    def eventexit(self) -> None:
        """Leave the rules as the user had them."""
        self._restore()

    def eventexec(self, event: pyscipopt.scip.Event) -> None:
        """Set the priorities and parameters for the node that is entered."""
        turn = None
        if self._max_depth < 0 or self.model.getDepth() <= self._max_depth:
            try:
                policy = self._policy_at(self.model)
            except Exception:  # it will be met and told at the branching itself
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
