"""Task of a collection: all episodes of one instance."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from milplib.errors import InstanceError, StateError
from milplib.formats.reader import read
from milplib.instance import Instance
from milplib.learn.collecting.episode import EpisodeParameters, run_episode
from milplib.learn.collecting.outcome import CollectOutcome
from milplib.learn.samples.schema import SampleSchema
from milplib.learn.samples.shards import InstanceEntry, write_batches
from milplib.outcomes import SolveStatus
from milplib.schema import built
from milplib.scip import StateFunction

__all__ = ["CollectTask", "InstanceOutcome", "TaskResult", "run_task"]

_INFEASIBLE_OR_UNBOUNDED = frozenset(
    {
        SolveStatus.INFEASIBLE,
        SolveStatus.UNBOUNDED,
        SolveStatus.INFEASIBLE_OR_UNBOUNDED,
    }
)

BRANCH_FREE_EPISODES = 3
"""Number of episodes without any branching after which an instance is given up."""


@dataclass(frozen=True, kw_only=True)
class CollectTask:
    """Collection from one instance, as sent to a worker.

    Parameters
    ----------
    name, path
        Name of the instance in the samples, and its file.
    seed
        Seed of the whole collection.
    samples
        Number of samples wanted.
    max_episodes
        Maximum number of episodes.
    parameters
        Parameters of every episode.
    state_functions
        Blocks to record.
    instance
        The instance itself, if it is in memory and in no file.
    """

    name: str
    path: Path
    seed: int
    samples: int
    max_episodes: int
    parameters: EpisodeParameters
    state_functions: tuple[StateFunction, ...]
    instance: Instance | None = None


@dataclass(frozen=True, kw_only=True)
class InstanceOutcome:
    """Outcome of an instance, for the manifest.

    Parameters
    ----------
    instance, instance_hash
        Name and content hash; the hash is empty if the file cannot be read.
    outcome
        Outcome of collecting from it.
    samples, episodes, branchings
        Numbers of samples, of episodes, and of branching nodes in the episodes.
    failure
        Failure of the worker process, a `milplib.execution.FailureKind`; empty without one.
    reason
        Reason why the instance is not complete, and the failures of single episodes; empty
        without any.
    """

    instance: str
    instance_hash: str = ""
    outcome: CollectOutcome
    samples: int = 0
    episodes: int = 0
    branchings: int = 0
    failure: str = ""
    reason: str = ""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> InstanceOutcome:
        """Read an outcome from the file of a task.

        Raises
        ------
        TypeError
            If values are missing or unknown.
        """
        return built(values, InstanceOutcome)

    def as_json(self) -> InstanceEntry:
        """Return the outcome as the entry of a manifest."""
        return cast(InstanceEntry, asdict(self))


@dataclass(frozen=True, kw_only=True)
class TaskResult:
    """Result that a worker returns: the outcome, and the samples as bytes of an Arrow file."""

    outcome: InstanceOutcome
    samples: bytes = b""


def run_task(task: CollectTask) -> TaskResult:
    """Run episodes on an instance until it has enough samples, or no more can be expected.

    Returns
    -------
    TaskResult
        The result; equal tasks have equal results, wherever they run.
    """
    try:
        instance = read(task.path) if task.instance is None else task.instance
    except InstanceError as error:
        # Name the instance, not its path: the manifest must not depend on where the files are.
        reason = str(error).replace(os.fspath(task.path), task.name)
        reason = reason.encode("utf-8", "backslashreplace").decode()
        return TaskResult(
            outcome=InstanceOutcome(
                instance=task.name, outcome=CollectOutcome.UNREADABLE, reason=reason
            )
        )
    batches: list[pa.RecordBatch] = []
    samples = branchings = episodes = 0
    statuses: list[SolveStatus] = []
    failures: list[str] = []
    while samples < task.samples and episodes < task.max_episodes:
        try:
            episode = run_episode(
                instance,
                name=task.name,
                episode=episodes,
                seed=task.seed,
                samples=task.samples - samples,
                parameters=task.parameters,
                state_functions=task.state_functions,
            )
        except StateError as error:
            raise StateError(f"{error} (at {task.name}, episode {episodes})") from error
        episodes += 1
        branchings += episode.branchings
        samples += episode.samples
        batches += episode.batches
        if episode.failure:
            failures.append(f"episode {episodes - 1} {episode.failure}")
        else:
            statuses.append(episode.status)
        if not branchings and _has_nothing_to_branch_on(instance, statuses):
            break
    reason = _reason(instance, statuses, branchings, samples, task.samples, episodes)
    outcome = InstanceOutcome(
        instance=task.name,
        instance_hash=instance.content_hash,
        outcome=(
            CollectOutcome.COMPLETE
            if samples >= task.samples
            else CollectOutcome.FEWER
            if samples
            else CollectOutcome.NONE
            if statuses
            else CollectOutcome.FAILED
        ),
        samples=samples,
        episodes=episodes,
        branchings=branchings,
        reason="; ".join(filter(None, (reason, *failures))),
    )
    if not batches:
        return TaskResult(outcome=outcome)
    stream = io.BytesIO()
    write_batches(stream, batches, SampleSchema.of(task.state_functions))
    return TaskResult(outcome=outcome, samples=stream.getvalue())


def _has_nothing_to_branch_on(instance: Instance, statuses: list[SolveStatus]) -> bool:
    """Whether further episodes are unlikely to branch."""
    if not statuses:
        return False
    return (
        not instance.integrality.any()
        or statuses[-1] in _INFEASIBLE_OR_UNBOUNDED
        or len(statuses) >= BRANCH_FREE_EPISODES
    )


def _reason(
    instance: Instance,
    statuses: list[SolveStatus],
    branchings: int,
    samples: int,
    wanted: int,
    episodes: int,
) -> str:
    if samples >= wanted or not statuses:
        return ""
    if not instance.integrality.any():
        return f"{statuses[-1]}: it has no integer column to branch on"
    if not branchings:
        return f"{statuses[-1]} without branching in {episodes} episode(s)"
    return f"{samples} of {wanted} samples in {episodes} episodes of {branchings} branchings"
