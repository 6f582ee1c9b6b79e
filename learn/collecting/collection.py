"""A collection: tasks over instance files, merged into one folder of samples, resumable."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from milplib.errors import (
    ParameterError,
    UnknownNameError,
)
from milplib.execution import Execution, execution_or_workers
from milplib.files import file_sha256
from milplib.learn.collecting.episode import EpisodeParameters
from milplib.learn.collecting.run_folder import Progress, RunFolder
from milplib.learn.collecting.task import CollectTask
from milplib.learn.samples.sample_set import SampleSet
from milplib.learn.samples.schema import SampleSchema
from milplib.learn.samples.shards import (
    Manifest,
)
from milplib.library import InstanceFile, instance_files
from milplib.library.folder import InstancePlace
from milplib.scip import SETTINGS, StateFunction, load_state_functions
from milplib.scip.experts import resolved_name
from milplib.scip.versions import scip_version
from milplib.version import __version__

__all__ = ["collect"]


def collect(
    folders: InstancePlace | Iterable[InstancePlace],
    *,
    out: str | os.PathLike[str],
    samples_per_instance: int = 10,
    seed: int = 0,
    workers: int = 1,
    execution: Execution | None = None,
    max_episodes: int = 10,
    expert: str = "full",
    expert_probability: float = 0.05,
    label_children: bool = False,
    setting: str = "default",
    node_limit: int = 10_000,
    iteration_limit: int = 10_000_000,
    time_limit: float = 3600.0,
    blocks: Sequence[str | StateFunction] = ("pseudocost",),
    force: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> SampleSet:
    """Collect strong-branching samples from folders of instances.

    Each instance is solved, exploring with pseudocosts and now and then asking the expert, whose
    choice is then followed; with other seeds again until it has given its samples, at most
    `max_episodes` times. Finished instances are kept: a second call with the same arguments goes
    on where the first one stopped. The samples depend on the seed and the instances, never on
    the number of workers.

    Parameters
    ----------
    folders
        Folders of instance files, or splits of distributions; of a folder that holds split
        folders, ``train`` is taken.
    out
        The folder to write: shards ``*.arrow`` and ``manifest.json``, which depend on the
        arguments and versions alone, and ``environment.json``, which says where and when it ran.
    samples_per_instance
        Samples wanted from each instance.
    seed
        Of exploration and SCIP, together with an instance's content and an episode's number.
    workers
        Number of processes.
    execution
        Where and within which limits the tasks run, instead of a number of workers.
    max_episodes
        Solves of an instance after which fewer samples have to do.
    expert
        Who labels: ``full`` strong branching, or a cheaper one (`milplib.scip.load_expert`),
        whose scores are not the same (``docs/experts.md``).
    expert_probability, label_children, setting, node_limit, iteration_limit, time_limit
        See `milplib.learn.collecting.EpisodeParameters`.
    blocks
        State functions to record beside the state: names (`milplib.scip.BLOCKS`,
        ``"package.module:Name"``) or objects.
    force
        Replace what another collection has written in `out`.
    on_progress
        Called after every instance.

    Returns
    -------
    SampleSet
        The samples; ``manifest.instances`` says what each instance gave.

    Raises
    ------
    InstanceError
        If a folder is missing or holds no instances, or none of them can be read.
    OutputError
        If `out` is not empty and not of this very collection, or cannot be written.
    ParameterError, UnknownNameError
        If an argument is outside its domain.

    Examples
    --------
    >>> import tempfile
    >>> from milplib.generators import CombinatorialAuction
    >>> folder = tempfile.mkdtemp()
    >>> CombinatorialAuction(n_items=50, n_bids=200).generate(seed=0).write(folder + "/a.lp")
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
        expert=resolved_name(expert),
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
        **asdict(parameters),
        "instances": [{"name": file.name, "sha256": _checksum(file)} for file in files],
    }
    manifest = Manifest(
        config=config, software=_software(), schema=SampleSchema.of(state_functions)
    )
    tasks = [
        CollectTask(
            name=file.name,
            path=file.path,
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
            run.run(tasks, execution=execution, on_progress=on_progress)
            run.finish(len(tasks))
    return SampleSet(run.folder)


def _checksum(file: InstanceFile) -> str:
    try:
        return file_sha256(file.path)
    except OSError:
        return "unreadable"


def _software() -> dict[str, str]:
    # What the bytes of the samples depend on.
    return {"milplib": __version__, "scip": scip_version(), "pyarrow": pa.__version__}
