"""A collection: tasks over instance files, merged into one folder of samples, resumable."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pyarrow as pa

import milplib
from milplib.errors import (
    InstanceError,
    OutputError,
    ParameterError,
    SampleError,
    UnknownNameError,
)
from milplib.execution import WorkerDiedError, run_tasks
from milplib.files import atomic_write, atomic_write_json, file_sha256, remove_leftovers
from milplib.learn.collect.episode import EpisodeParameters
from milplib.learn.collect.task import CollectTask, InstanceOutcome, TaskResult, run_task
from milplib.learn.samples.sample_set import SampleSet
from milplib.learn.samples.schema import SampleSchema
from milplib.learn.samples.shards import (
    MANIFEST,
    Manifest,
    Shard,
    ShardEntry,
    TreeEntry,
    write_batches,
)
from milplib.library.folder import InstanceFile, instance_files
from milplib.scip import SETTINGS, StateFunction, load_state_functions
from milplib.scip.versions import scip_version

__all__ = ["Progress", "collect"]

SHARD_BYTES = 64 << 20
"""Size after which a shard is closed and the next one begun."""

_TASKS = "tasks"


@dataclass(frozen=True)
class Progress:
    """How far a collection has come: instances done, instances in all, samples."""

    done: int
    total: int
    samples: int


def collect(
    folders: Iterable[str | os.PathLike[str]],
    *,
    out: str | os.PathLike[str],
    samples_per_instance: int = 10,
    seed: int = 0,
    workers: int = 1,
    max_episodes: int = 10,
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
        Folders of instance files; of one that holds split folders, ``train`` is taken.
    out
        The folder to write: shards ``*.arrow`` and ``manifest.json``.
    samples_per_instance
        Samples wanted from each instance.
    seed
        Of exploration and SCIP, together with an instance's content and an episode's number.
    workers
        Number of processes.
    max_episodes
        Solves of an instance after which fewer samples have to do.
    expert_probability, label_children, setting, node_limit, iteration_limit, time_limit
        See `milplib.learn.collect.EpisodeParameters`.
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
        "workers": workers,
    }
    for name, value in counts.items():
        if value < 1:
            raise ParameterError(f"the number of {name} is {value}; it must be at least 1")
    if seed < 0:
        raise ParameterError(f"the seed is {seed}; it must not be negative")
    if setting not in SETTINGS:
        raise UnknownNameError("setting", setting, SETTINGS)
    parameters = EpisodeParameters(
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
    run = _RunFolder(Path(out), manifest)
    if run.prepare(force=force):
        return SampleSet(run.folder)
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
    run.run(tasks, workers=workers, on_progress=on_progress)
    run.finish(len(tasks))
    return SampleSet(run.folder)


def _checksum(file: InstanceFile) -> str:
    try:
        return file_sha256(file.path)
    except OSError:
        return "unreadable"


def _software() -> dict[str, str]:
    # What the bytes of the samples depend on.
    return {"milplib": milplib.__version__, "scip": scip_version(), "pyarrow": pa.__version__}


class _RunFolder:
    """The folder of a collection: finished tasks while it goes on, shards when it is done."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self._manifest = manifest

    def prepare(self, *, force: bool) -> bool:
        """Make or check the folder; tell whether the collection in it is already complete."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            used = any(self.folder.iterdir())
        except (FileExistsError, NotADirectoryError):
            raise OutputError(f"{self.folder} is a file, not a folder") from None
        except OSError as error:
            raise OutputError(f"cannot use {self.folder}: {error.strerror or error}") from error
        if used:
            found = self._found()
            if isinstance(found, Manifest) and self._is_this_collection(found):
                remove_leftovers(self.folder)
                return found.complete
            if not force:
                reason = "holds another collection" if found else "is not empty"
                raise OutputError(
                    f"the output folder {self.folder} {reason}; nothing was written: choose "
                    "another folder, or replace it with --force"
                )
            self._clear()
        self._manifest.write(self.folder)
        (self.folder / _TASKS).mkdir(exist_ok=True)
        return False

    def _found(self) -> Manifest | bool:
        """The manifest there is; else whether there is one of another version or damaged."""
        try:
            return Manifest.load(self.folder)
        except SampleError:
            return (self.folder / MANIFEST).exists()

    def _is_this_collection(self, found: Manifest) -> bool:
        ours = json.loads(json.dumps(self._manifest.config))
        return (found.config, found.software, found.schema) == (
            ours,
            self._manifest.software,
            self._manifest.schema,
        )

    def _clear(self) -> None:
        # Only what a collection writes: somebody else's files stay.
        (self.folder / MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(self.folder / _TASKS, ignore_errors=True)
        for shard in self.folder.glob("shard-*.arrow"):
            shard.unlink()

    def run(
        self,
        tasks: Sequence[CollectTask],
        *,
        workers: int,
        on_progress: Callable[[Progress], None],
    ) -> None:
        """Run the tasks that are not finished yet; commit each as it ends."""
        outcomes = [self._outcome(number) for number in range(len(tasks))]
        waiting = [number for number, outcome in enumerate(outcomes) if outcome is None]
        done = len(tasks) - len(waiting)
        samples = sum(outcome.samples for outcome in outcomes if outcome)
        on_progress(Progress(done, len(tasks), samples))
        for place, result in run_tasks(run_task, [tasks[n] for n in waiting], workers=workers):
            number = waiting[place]
            if isinstance(result, WorkerDiedError):
                outcome = InstanceOutcome(
                    instance=tasks[number].name, outcome="failed", reason=str(result)
                )
                result = TaskResult(outcome=outcome)
            self._commit(number, result)
            done += 1
            samples += result.outcome.samples
            on_progress(Progress(done, len(tasks), samples))

    def _task_file(self, number: int, suffix: str) -> Path:
        return self.folder / _TASKS / f"{number:06d}{suffix}"

    def _outcome(self, number: int) -> InstanceOutcome | None:
        try:
            return InstanceOutcome(**json.loads(self._task_file(number, ".json").read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def _commit(self, number: int, result: TaskResult) -> None:
        if result.samples:
            with atomic_write(self._task_file(number, ".samples")) as stream:
                stream.write(result.samples)
        # The outcome comes last: where it stands, the samples do too.
        atomic_write_json(self._task_file(number, ".json"), asdict(result.outcome))

    def finish(self, n_tasks: int) -> None:
        """Merge the tasks' samples into shards, in the order of the instances."""
        outcomes = [self._outcome(number) for number in range(n_tasks)]
        unreadable = [o for o in outcomes if o is not None and o.outcome == "unreadable"]
        if len(unreadable) == n_tasks:
            self._clear()
            if not any(self.folder.iterdir()):
                self.folder.rmdir()
            raise InstanceError(
                f"none of the {n_tasks} instance files can be read; the first: "
                f"{unreadable[0].reason}"
            )
        final = _mark_duplicates([outcome for outcome in outcomes if outcome is not None])
        shards: list[ShardEntry] = []
        group: list[int] = []
        size = 0
        for number, outcome in enumerate(final):
            if not outcome.samples:
                continue
            group.append(number)
            size += self._task_file(number, ".samples").stat().st_size
            if size >= SHARD_BYTES:
                shards.append(self._merge(group, len(shards)))
                group, size = [], 0
        if group:
            shards.append(self._merge(group, len(shards)))
        replace(
            self._manifest,
            complete=True,
            shards=tuple(shards),
            instances=tuple(asdict(outcome) for outcome in final),
        ).write(self.folder)
        shutil.rmtree(self.folder / _TASKS)

    def _merge(self, group: list[int], shard_number: int) -> ShardEntry:
        trees: list[TreeEntry] = []

        def batches() -> Iterator[pa.RecordBatch]:
            for task in group:
                shard = Shard(self._task_file(task, ".samples"))
                for number in range(len(shard)):
                    batch = shard.batch(number)
                    trees.append(TreeEntry.of(batch))
                    yield batch

        path = self.folder / f"shard-{shard_number:05d}.arrow"
        with atomic_write(path) as stream:
            write_batches(stream, batches(), self._manifest.schema)
        return ShardEntry.of(path, trees)


def _mark_duplicates(outcomes: list[InstanceOutcome]) -> list[InstanceOutcome]:
    """Leave instances with the same content out: their trees would be the same, too."""
    first: dict[str, str] = {}
    marked = []
    for outcome in outcomes:
        original = first.setdefault(outcome.instance_hash, outcome.instance)
        if outcome.instance_hash and original != outcome.instance:
            reason = f"the same content as {original}"
            outcome = replace(outcome, outcome="duplicate", samples=0, reason=reason)
        marked.append(outcome)
    return marked
