"""Base class of Python branching rules whose errors propagate through SCIP."""

from __future__ import annotations

import sys
from abc import abstractmethod
from types import FrameType

import pyscipopt
from pyscipopt import SCIP_RESULT

from milplib.scip.plugins import WeakModel

__all__ = ["PRIORITY", "GuardedRule"]

PRIORITY = 536870911
"""Highest priority of a branching rule in SCIP."""


class GuardedRule(WeakModel, pyscipopt.Branchrule):  # type: ignore[misc, unused-ignore]
    """Base class of branching rules whose first error stops the solve.

    PySCIPOpt prints an exception of a callback and drops it: SCIP continues, or ``optimize``
    raises "SCIP: unspecified error!". This class interrupts SCIP, which stays in a valid state, and
    the call of ``optimize`` raises the original exception with its traceback.

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
        # Not the error itself, whose traceback holds this rule and its model: a cycle.
        self._error_id: int | None = None
        self._stopping = False

    @abstractmethod
    def decide(self) -> int:
        """Branch, cut off or decline at a node with a fractional LP solution.

        Returns
        -------
        int
            A ``pyscipopt.SCIP_RESULT``.
        """

    def include(
        self,
        model: pyscipopt.Model,
        name: str,
        *,
        max_depth: int = -1,
        priority: int = PRIORITY,
    ) -> None:
        """Include the rule in a model, by default before all other rules and at all depths."""
        description = (type(self).__doc__ or name).splitlines()[0]
        model.includeBranchrule(self, name, description, priority, max_depth, 1.0)
        self.model = model  # held weakly from here on

    def has_raised(self, error: BaseException) -> bool:
        """Return whether an error that ``optimize`` raised came from `decide`."""
        return id(error) == self._error_id

    def branchexeclp(self, allowaddcons: bool) -> dict[str, int]:
        """Run `decide`, and interrupt the solve if it raises an error."""
        if self._stopping:  # SCIP may call the rule again while it stops
            return {"result": SCIP_RESULT.DIDNOTRUN}
        try:
            return {"result": self.decide()}
        except BaseException as error:  # Ctrl-C must propagate through SCIP, too
            self._error_id = id(error)
            self._stopping = True
            self.model.interruptSolve()
            # Compiled code has no frames, so the previous frame is the caller of optimize().
            self._raise_when_back_in(sys._getframe().f_back, error)
            return {"result": SCIP_RESULT.DIDNOTRUN}

    def branchexecps(self, allowaddcons: bool) -> dict[str, int]:
        """Leave nodes without an LP solution to SCIP."""
        return {"result": SCIP_RESULT.DIDNOTRUN}

    def branchexecext(self, allowaddcons: bool) -> dict[str, int]:
        """Leave external candidates to SCIP."""
        return {"result": SCIP_RESULT.DIDNOTRUN}

    def _raise_when_back_in(self, frame: FrameType | None, error: BaseException) -> None:
        """Raise an error in a calling frame as soon as it continues, by means of a tracer.

        PySCIPOpt ignores exceptions of callbacks. The error is therefore raised in the frame that
        called ``optimize``, at its first instruction after the call, which is still inside its
        ``try`` or ``with``. This replaces any other tracer of the thread, such as a debugger or a
        coverage tool.
        """
        if frame is None:
            return
        # The traceback will hold these frames: no name in them may hold the error, or the cycle
        # would keep the model alive.
        pending = [error]
        del error

        def trace(current: FrameType, event: str, argument: object) -> None:
            if current is frame:
                frame.f_trace, frame.f_trace_opcodes = None, False
                sys.settrace(None)
                self._stopping = False
                raise pending.pop()

        frame.f_trace, frame.f_trace_opcodes = trace, True
        # New frames, such as those of other callbacks, are not traced.
        sys.settrace(lambda current, event, argument: None)
