"""Execution of tasks in this process, in local worker processes or on a Dask cluster."""

from milplib.execution.errors import (
    ClusterError,
    FailureKind,
    TaskFailure,
    WorkerDiedError,
    WorkerStartError,
)
from milplib.execution.tasks import MOST_KILLS, Execution, execution_or_workers, run_tasks

__all__ = [
    "MOST_KILLS",
    "ClusterError",
    "Execution",
    "FailureKind",
    "TaskFailure",
    "WorkerDiedError",
    "WorkerStartError",
    "execution_or_workers",
    "run_tasks",
]
