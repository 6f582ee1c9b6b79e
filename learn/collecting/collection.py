"""Resumable collection of samples: one task per instance file, merged into one folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from pathlib import Path

import pyarrow as pa

from milplib.arguments import checked
from milplib.errors import (
    ParameterError,
    UnknownNameError,
)
from milplib.execution import Execution, execution_or_workers
from milplib.execution.pickling import python_digest
from milplib.learn.collecting.episode import EpisodeParameters
from milplib.learn.collecting.run_folder import Progress, RunFolder
from milplib.learn.collecting.task import CollectTask
from milplib.learn.samples.sample_set import SampleSet
from milplib.learn.samples.schema import SampleSchema
from milplib.learn.samples.shards import (
    Manifest,
)
from milplib.library import instance_files
from milplib.library.folder import InstancePlace
from milplib.progress import showing_progress
from milplib.scip import SETTINGS, Expert, StateFunction, load_expert, load_state_functions
from milplib.scip.experts import resolved_name
from milplib.scip.versions import scip_version
from milplib.version import __version__

__all__ = ["collect"]


@checked
def collect(
    folders: InstancePlace | Iterable[InstancePlace],
    *,
    out: str | os.PathLike[str],
    samples_per_instance: int = 10,
    seed: int = 0,
    workers: int = 1,
    execution: Execution | None = None,
    max_episodes: int = 10,
    expert: object = "full",
    expert_probability: float = 0.05,
    label_children: bool = False,
    setting: str = "default",
    node_limit: int = 10_000,
    iteration_limit: int = 10_000_000,
    time_limit: float = 3600.0,
    blocks: Sequence[str | StateFunction] = ("pseudocost",),
    force: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    progress: bool | None = None,
) -> SampleSet:
    """Collect strong-branching samples from folders of instances.

    Each solve explores with pseudocosts. At random nodes it asks the expert and follows the
    expert's choice. An instance is solved again with other seeds until it has yielded its samples,
    at most `max_episodes` times. Finished instances are kept: a second call with the same
    arguments resumes where the first one stopped. The samples depend on the seed and the
    instances, never on the number of workers.

    Parameters
    ----------
    folders
        Folders of instance files, distributions, their splits, or instances in memory. Of a
        distribution or a folder with split folders, the ``train`` split is used.
    out
        Folder to write. The shards ``*.arrow`` and ``manifest.json`` depend on the arguments and
        versions alone; ``environment.json`` records where and when the collection ran.
    samples_per_instance
        Samples wanted from each instance.
    seed
        Seed of exploration and of SCIP, combined with an instance's content and the number of the
        episode.
    workers
        Number of processes.
    execution
        Where the tasks run, and their limits; replaces `workers`.
    max_episodes
        Maximum number of solves of an instance.
    expert
        Expert that labels: ``full`` strong branching, or a cheaper one, whose scores differ
        (``docs/experts.md``); a name, an object, a class or a function, as
        `milplib.scip.load_expert` takes it.
    expert_probability, label_children, setting, node_limit, iteration_limit, time_limit
        See `milplib.learn.collecting.EpisodeParameters`.
    blocks
        State functions to record beside the state: names (`milplib.scip.BLOCKS`,
        ``"package.module:Name"``) or objects.
    force
        Whether to replace another collection in `out`.
    on_progress
        Called after every instance.
    progress
        Whether to show a progress bar on stderr or in a notebook. Default: if somebody can see it,
        and `on_progress` is not given.

    Returns
    -------
    SampleSet
        The samples; ``manifest.instances`` holds the outcome of each instance.

    Raises
    ------
    InstanceError
        If a folder is missing or holds no instances, or none of them can be read.
    OutputError
        If `out` holds anything other than this collection, or cannot be written.
    ParameterError, UnknownNameError
        If an argument is outside its domain.

    Examples
    --------
    >>> import tempfile
    >>> from milplib.generators import GeneralizedIndependentSet
    >>> folder = tempfile.mkdtemp()
    >>> GeneralizedIndependentSet(n_nodes=40).generate(seed=0).write(folder + "/a.lp")
    >>> samples = collect([folder], out=folder + "/samples", samples_per_instance=2,
    ...                   expert_probability=1.0)
    >>> len(samples)
    2
    """
    counts = {
        "samples per instance": samples_per_instance,
        "episodes": max_episodes,
    }
    for name, value in counts.items():
        if value < 1:
            raise ParameterError(f"the number of {name} is {value}; it must be at least 1")
    execution = execution_or_workers(execution, workers)
    if seed < 0:
        raise ParameterError(f"the seed is {seed}; it must not be negative")
    if setting not in SETTINGS:
        raise UnknownNameError("setting", setting, SETTINGS)
    parameters = EpisodeParameters(
        expert=resolved_name(expert) if isinstance(expert, str) else load_expert(expert),
        expert_probability=expert_probability,
        label_children=label_children,
        setting=setting,
        node_limit=node_limit,
        iteration_limit=iteration_limit,
        time_limit=time_limit,
    )
    state_functions = load_state_functions(blocks)
    files = instance_files(folders, split="train")
    config = {
        "samples_per_instance": samples_per_instance,
        "seed": seed,
        "max_episodes": max_episodes,
        **{
            field.name: getattr(parameters, field.name)
            for field in fields(parameters)
            if field.name != "expert"
        },
        "expert": _recorded(parameters.expert),
        "instances": [{"name": file.name, "sha256": file.checksum()} for file in files],
    }
    manifest = Manifest(
        config=config, software=_software(), schema=SampleSchema.of(state_functions)
    )
    tasks = [
        CollectTask(
            name=file.name,
            path=file.path,
            instance=file.instance,
            seed=seed,
            samples=samples_per_instance,
            max_episodes=max_episodes,
            parameters=parameters,
            state_functions=state_functions,
        )
        for file in files
    ]
    run = RunFolder(Path(out), manifest)
    with run.claim(force=force) as has_work:
        if has_work:
            with showing_progress(
                "collecting",
                progress=progress,
                on_progress=on_progress,
                steps=lambda state: (state.done, state.total, f"{state.samples} samples"),
            ) as report:
                run.run(tasks, execution=execution, on_progress=report)
            run.finish(len(tasks))
    return SampleSet(run.folder)


def _recorded(expert: str | Expert) -> str:
    """Return what the record says of an expert: its name, and the digest of a user's own code."""
    if isinstance(expert, str):
        return expert
    try:
        return f"{expert.name} {python_digest(expert)[:16]}"
    except Exception as error:
        raise ParameterError(
            f"the expert '{expert.name}' cannot be sent to other processes "
            f"({type(error).__name__}: {error})"
        ) from error


def _software() -> dict[str, str]:
    # The bytes of the samples depend on these versions.
    return {"milplib": __version__, "scip": scip_version(), "pyarrow": pa.__version__}
