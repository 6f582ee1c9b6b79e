"""How solves and runs end, in the words that files and tables hold."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["RunState", "SolveFailure", "SolveStatus", "Word"]


class Word(StrEnum):
    """Base of closed sets of words; a member is its word wherever a string is shown or written.

    Examples
    --------
    >>> SolveFailure.MEMORY_LIMIT, SolveFailure.MEMORY_LIMIT == "memlimit"
    ('memlimit', True)
    """

    def __repr__(self) -> str:
        return repr(self.value)


class SolveStatus(Word):
    """Status of a solve: SCIP's words, for other solvers too, and milplib's own for runs.

    A word that SCIP adds later becomes `UNKNOWN`, as in PySCIPOpt.

    Examples
    --------
    >>> SolveStatus("timelimit") is SolveStatus.TIME_LIMIT
    True
    """

    OPTIMAL = "optimal"
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"
    INFEASIBLE_OR_UNBOUNDED = "inforunbd"
    TIME_LIMIT = "timelimit"
    MEMORY_LIMIT = "memlimit"
    NODE_LIMIT = "nodelimit"
    TOTAL_NODE_LIMIT = "totalnodelimit"
    STALL_NODE_LIMIT = "stallnodelimit"
    GAP_LIMIT = "gaplimit"
    PRIMAL_LIMIT = "primallimit"
    DUAL_LIMIT = "duallimit"
    SOLUTION_LIMIT = "sollimit"
    BEST_SOLUTION_LIMIT = "bestsollimit"
    RESTART_LIMIT = "restartlimit"
    INTERRUPTED = "userinterrupt"
    UNKNOWN = "unknown"
    UNREADABLE = "unreadable"
    """milplib cannot read the instance."""
    ERROR = "error"
    """The run raised an error."""
    DIED = "died"
    """The process of the run ended without a result."""
    KILLED = "killed"
    """milplib killed the process: over its time or memory."""

    @classmethod
    def _missing_(cls, value: object) -> SolveStatus | None:
        return cls.UNKNOWN if isinstance(value, str) else None


class SolveFailure(Word):
    """Kind of failure of a run; `NONE`, an empty word, if it solved its instance."""

    NONE = ""
    TIME_LIMIT = "timelimit"
    MEMORY_LIMIT = "memlimit"
    OTHER_LIMIT = "other limit"
    INTERRUPTED = "interrupted"
    CRASH = "crash"
    NUMERICAL = "numerical"
    POLICY_ERROR = "policy error"
    UNREADABLE = "unreadable"
    REFUSED = "refused"
    """milplib read the instance, but the solver does not take it."""
    NO_REFERENCE = "no reference"
    WRONG_SOLUTION = "wrong solution"
    LEAK = "leak"
    """The policy was trained on the instance or chosen by it."""


class RunState(Word):
    """State of a run's folder: a process works in it, none does, or it is complete."""

    WORKING = "working"
    STOPPED = "stopped"
    COMPLETE = "complete"
