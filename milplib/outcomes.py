"""Statuses of solves and runs, as files and tables hold them."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["RunState", "SolveFailure", "SolveStatus", "Word"]


class Word(StrEnum):
    """Base class of string enums whose members print as their values.

    Examples
    --------
    >>> SolveFailure.MEMORY_LIMIT, SolveFailure.MEMORY_LIMIT == "memlimit"
    ('memlimit', True)
    """

    def __repr__(self) -> str:
        return repr(self.value)


class SolveStatus(Word):
    """Status of a solve, in SCIP's words for all solvers, and of a failed run.

    A status that a later SCIP adds becomes `UNKNOWN`, as in PySCIPOpt.

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
    """milplib killed the process because it exceeded its time or memory."""

    @classmethod
    def _missing_(cls, value: object) -> SolveStatus | None:
        return cls.UNKNOWN if isinstance(value, str) else None


class SolveFailure(Word):
    """Failure of a run; `NONE`, an empty string, for a run that solved its instance."""

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
    """milplib read the instance, but the solver does not accept it."""
    NO_REFERENCE = "no reference"
    WRONG_SOLUTION = "wrong solution"
    LEAK = "leak"
    """The instance was in the policy's training or validation data."""


class RunState(Word):
    """State of a run folder."""

    WORKING = "working"
    STOPPED = "stopped"
    COMPLETE = "complete"
