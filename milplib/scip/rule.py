"""A branching rule in Python whose errors are not lost on their way through SCIP."""

from __future__ import annotations

from abc import abstractmethod

import pyscipopt
from pyscipopt import SCIP_RESULT

__all__ = ["PRIORITY", "GuardedRule"]

PRIORITY = 536870911
"""The highest priority that SCIP allows a branching rule."""


class GuardedRule(pyscipopt.Branchrule):
    """Base of branching rules whose first error stops the solve and is raised after it.

    PySCIPOpt alone loses an exception of a callback: SCIP goes on, or says "unspecified error".

    Examples
    --------
    >>> import pyscipopt
    >>> class First(GuardedRule):
    ...     def decide(self):
    ...         self.model.branchVar(self.model.getLPBranchCands()[0][0])
    ...         return pyscipopt.SCIP_RESULT.BRANCHED
    >>> rule = First()
    >>> rule.include(pyscipopt.Model(), "first")
    """

    def __init__(self) -> None:
        self.error: BaseException | None = None

    @abstractmethod
    def decide(self) -> int:
        """Branch, cut off or decline at a node with a fractional LP solution; give the result."""

    def include(self, model: pyscipopt.Model, name: str) -> None:
        """Include the rule in a model, before all other rules."""
        model.includeBranchrule(
            self, name, (type(self).__doc__ or name).splitlines()[0], PRIORITY, -1, 1.0
        )

    def raise_error(self) -> None:
        """Raise what `decide` raised during the solve, if it did."""
        if self.error is not None:
            raise self.error

    def branchexeclp(self, allowaddcons: bool) -> dict[str, int]:
        """Run `decide`; keep its error and interrupt the solve."""
        if self.error is not None:
            return {"result": SCIP_RESULT.DIDNOTRUN}
        try:
            return {"result": self.decide()}
        except BaseException as error:  # Ctrl-C too must get through SCIP
            self.error = error
            self.model.interruptSolve()
            return {"result": SCIP_RESULT.DIDNOTRUN}

    def branchexecps(self, allowaddcons: bool) -> dict[str, int]:
        """Leave nodes without an LP solution to SCIP."""
        return {"result": SCIP_RESULT.DIDNOTRUN}

    def branchexecext(self, allowaddcons: bool) -> dict[str, int]:
        """Leave external candidates to SCIP."""
        return {"result": SCIP_RESULT.DIDNOTRUN}
