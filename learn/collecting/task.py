"""A task of a collection: all episodes of one instance."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from milplib.errors import InstanceError, StateError
from milplib.formats.reader import read
from milplib.instance import Instance
from milplib.learn.collecting.episode import EpisodeParameters, run_episode
from milplib.learn.collecting.outcome import CollectOutcome
from milplib.learn.samples.schema import SampleSchema
from milplib.learn.samples.shards import write_batches
from milplib.outcomes import SolveStatus
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
"""An instance whose first episodes all end without branching is given up after so many."""


@dataclass(frozen=True, kw_only=True)
class CollectTask:
    """What a worker needs to collect from one instance.

    Parameters
    ----------
    name, path
        The instance's name in the samples, and its file.
    seed
        Of the whole collection.
    samples
        Number of samples wanted.
    max_episodes
        Number of episodes after which fewer have to do.
    parameters
        Of every episode.
    state_functions
        Blocks to record.
    """

    name: str
    path: Path
    seed: int
    samples: int
    max_episodes: int
    parameters: EpisodeParameters
    state_functions: tuple[StateFunction, ...]


@dataclass(frozen=True, kw_only=True)
class InstanceOutcome:
    """What an instance gave, for the manifest.

    Parameters
    ----------
    instance, instance_hash
        Name and content hash; no hash if the file cannot be read.
    outcome
        How its collection ended.
    samples, episodes, branchings
        Numbers of samples, of episodes and of branching nodes in them.
    failure
        How the process ended that worked on it, `milplib.execution.FailureKind`; empty if it did
        its work.
    reason
        Why it is not complete, and the failures of single episodes; empty if there is nothing
        to say.
    """

    instance: str
    instance_hash: str = ""
    outcome: CollectOutcome
    samples: int = 0
    episodes: int = 0
    branchings: int = 0
    failure: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class TaskResult:
    """What a worker sends back: the outcome, and the samples as the bytes of an Arrow file."""

    outcome: InstanceOutcome
    samples: bytes = b""


def run_task(task: CollectTask) -> TaskResult:
    """Run episodes on an instance until it has given its samples, or gives no more.

    Returns
    -------
    TaskResult
        Equal for equal tasks, wherever they run.
    """
    try:
        instance = read(task.path)
    except InstanceError as error:
        # By its name in the samples: the manifest must not depend on where the files lay.
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
    """Whether more episodes without branching would be a waste."""
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
