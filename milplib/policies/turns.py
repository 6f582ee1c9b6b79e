"""Nodes that a combination of policies leaves to one of SCIP's own rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyscipopt
from pyscipopt import SCIP_EVENTTYPE

from milplib.policies.policy import Policy, ScipRule
from milplib.scip.rule import PRIORITY
from milplib.scip.settings import use_branching_rule

__all__ = ["Turns"]


class Turns(pyscipopt.Eventhdlr):
    """Puts the SCIP rule whose turn it is at a node before all others.

    SCIP sorts its rules before it asks the first one at a node, so this has to happen when the
    node is entered.
    """

    def __init__(
        self,
        policy_at: Callable[[pyscipopt.Model], Policy | ScipRule],
        rules: list[str],
        max_depth: int,
    ) -> None:
        self._policy_at = policy_at
        self._rules = rules
        self._max_depth = max_depth
        self._before: dict[str, dict[str, Any]] = {}
        self._current = ""

    def eventinit(self) -> None:
        """Begin to watch, with the rules as the user has them."""
        keys = ("priority", "maxdepth", "maxbounddist")
        self._before = {
            rule: {
                f"branching/{rule}/{key}": self.model.getParam(f"branching/{rule}/{key}")
                for key in keys
            }
            for rule in self._rules
        }
        self._current = ""
        self.model.catchEvent(SCIP_EVENTTYPE.NODEFOCUSED, self)

    def eventexit(self) -> None:
        """Leave the rules as the user had them."""
        self._restore()

    def eventexec(self, event: pyscipopt.scip.Event) -> None:
        """Set the priorities for the node that is entered."""
        turn = ""
        if self._max_depth < 0 or self.model.getDepth() <= self._max_depth:
            try:
                policy = self._policy_at(self.model)
            except Exception:  # it will be met and told at the branching itself
                return
            turn = policy.name if isinstance(policy, ScipRule) else ""
        if turn == self._current:
            return
        self._restore()
        if turn:
            use_branching_rule(self.model, turn)
            self.model.setParam(f"branching/{turn}/priority", PRIORITY - 1)
        self._current = turn

    def _restore(self) -> None:
        for parameters in self._before.values():
            for name, value in parameters.items():
                self.model.setParam(name, value)
        self._current = ""
