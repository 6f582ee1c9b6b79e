"""The folder of a collection: finished tasks while it goes on, shards when it is done."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pyarrow as pa

from milplib.errors import InstanceError, OutputError, SampleError
from milplib.execution import WorkerDiedError, run_tasks
from milplib.files import atomic_write, atomic_write_json, open_folder
from milplib.learn.collect.task import CollectTask, InstanceOutcome, TaskResult, run_task
from milplib.learn.samples.shards import (
    MANIFEST,
    Manifest,
    Shard,
    ShardEntry,
    TreeEntry,
    write_batches,
)

__all__ = ["Progress", "RunFolder"]

SHARD_BYTES = 64 << 20
"""Size after which a shard is closed and the next one begun."""

_TASKS = "tasks"


@dataclass(frozen=True)
class Progress:
    """How far a collection has come: instances done, instances in all, samples."""

    done: int
    total: int
    samples: int


class RunFolder:
    """A folder in which a collection, described by its manifest, goes on or is complete."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self._manifest = manifest

    def prepare(self, *, force: bool) -> bool:
        """Make or check the folder; tell whether the collection in it is already complete."""
        if open_folder(self.folder):
            found = self._found()
            if not force:
                if isinstance(found, Manifest) and self._is_this_collection(found):
                    if found.complete:
                        self._remove_tasks()
                    return found.complete
                reason = "holds another collection" if found else "is not empty"
                raise OutputError(
                    f"the output folder {self.folder} {reason}; nothing was written: choose "
                    "another folder, or replace it with --force"
                )
            self._clear()
        self._manifest.write(self.folder)
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
        self._remove_tasks()
        for shard in self.folder.glob("shard-*.arrow"):
            shard.unlink()

    def _remove_tasks(self) -> None:
        shutil.rmtree(self.folder / _TASKS, ignore_errors=True)

    def run(
        self,
        tasks: Sequence[CollectTask],
        *,
        workers: int,
        on_progress: Callable[[Progress], None],
    ) -> None:
        """Run the tasks that are not finished yet; commit each as it ends."""
        open_folder(self.folder / _TASKS)
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
        self._remove_tasks()

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
