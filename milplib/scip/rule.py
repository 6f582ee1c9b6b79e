"""A branching rule in Python whose errors are not lost on their way through SCIP."""

from __future__ import annotations

import sys
from abc import abstractmethod
from types import FrameType

import pyscipopt
from pyscipopt import SCIP_RESULT

__all__ = ["PRIORITY", "GuardedRule"]

PRIORITY = 536870911
"""The highest priority that SCIP allows a branching rule."""


class GuardedRule(pyscipopt.Branchrule):
    """Base of branching rules whose first error stops the solve and is raised by ``optimize``.

    PySCIPOpt alone prints an exception of a callback and forgets it: SCIP goes on, or
    ``optimize`` says "SCIP: unspecified error!". Here SCIP is interrupted, so that it stays in
    order, and the call of ``optimize`` raises the very exception, with its traceback.

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
        """The last error of `decide`."""
        self._stopping = False

    @abstractmethod
    def decide(self) -> int:
        """Branch, cut off or decline at a node with a fractional LP solution; give the result."""

    def include(self, model: pyscipopt.Model, name: str, *, max_depth: int = -1) -> None:
        """Include the rule in a model, before all other rules, down to a depth (-1: to any)."""
        model.includeBranchrule(
            self, name, (type(self).__doc__ or name).splitlines()[0], PRIORITY, max_depth, 1.0
        )

    def branchexeclp(self, allowaddcons: bool) -> dict[str, int]:
        """Run `decide`; interrupt the solve at its error."""
        if self._stopping:  # SCIP may ask again on its way out
            return {"result": SCIP_RESULT.DIDNOTRUN}
        try:
            return {"result": self.decide()}
        except BaseException as error:  # Ctrl-C too must get through SCIP
            self.error = error
            self._stopping = True
            self.model.interruptSolve()
            # Compiled code has no frames: below this one is the one that called optimize().
            self._raise_when_back_in(sys._getframe().f_back, error)
            return {"result": SCIP_RESULT.DIDNOTRUN}

    def branchexecps(self, allowaddcons: bool) -> dict[str, int]:
        """Leave nodes without an LP solution to SCIP."""
        return {"result": SCIP_RESULT.DIDNOTRUN}

    def branchexecext(self, allowaddcons: bool) -> dict[str, int]:
        """Leave external candidates to SCIP."""
        return {"result": SCIP_RESULT.DIDNOTRUN}

    def _raise_when_back_in(self, frame: FrameType | None, error: BaseException) -> None:
        """Raise an error in a frame below as soon as it goes on, as a debugger stops in one.

        PySCIPOpt ignores what a callback raises, so the error has to be raised in the frame that
        called ``optimize``, at its first instruction after the call: still inside its ``try`` or
        ``with``. Another tracer of this thread (a debugger, a measurement of coverage) loses its
        place.
        """
        if frame is None:
            return

        def trace(current: FrameType, event: str, argument: object) -> None:
            if current is frame:
                frame.f_trace, frame.f_trace_opcodes = None, False
                sys.settrace(None)
                self._stopping = False
                raise error

        frame.f_trace, frame.f_trace_opcodes = trace, True
        # Frames that begin meanwhile, of another callback say, are not traced.
        sys.settrace(lambda current, event, argument: None)
