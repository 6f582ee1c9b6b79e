"""The folder of a collection: finished tasks while it goes on, shards when it is done."""

from __future__ import annotations

import fcntl
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pyarrow as pa

from milplib.errors import InstanceError, OutputError, SampleError
from milplib.execution import WorkerDiedError, run_tasks
from milplib.files import atomic_write, atomic_write_json, open_folder
from milplib.learn.collect.task import CollectTask, InstanceOutcome, TaskResult, run_task
from milplib.learn.samples.shards import (
    MANIFEST,
    UNFINISHED,
    Manifest,
    Shard,
    ShardEntry,
    TreeEntry,
    write_batches,
)

__all__ = ["Progress", "RunFolder"]

SHARD_BYTES = 64 << 20
"""Size after which a shard is closed and the next one begun."""

_OUR_TASK_FILE = re.compile(r"\d{6}\.(json|samples)|manifest\.json|lock")


@dataclass(frozen=True)
class Progress:
    """How far a collection has come: instances done, instances in all, samples."""

    done: int
    total: int
    samples: int


class RunFolder:
    """The folder in which a collection goes on, or is complete.

    A collection that goes on has a folder ``unfinished`` in it, with its manifest and a pair of
    files for each finished task. Only when all are done, shards and the folder's own manifest
    are written, in the place of an older collection's; then ``unfinished`` goes. It stays if
    tasks failed, so that the same call tries these again.

    Parameters
    ----------
    folder
        The folder.
    manifest
        What is to be collected.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self._tasks = folder / UNFINISHED
        self._manifest = manifest
        self._is_new = False

    @contextmanager
    def claim(self, *, force: bool) -> Iterator[bool]:
        """Make or check the folder and lock it; tell whether there is anything to do.

        Raises
        ------
        OutputError
            If the folder is in use by anything but this very collection and `force` is False,
            if it holds a manifest of something else, or if another process works in it.
        """
        self._is_new = not self.folder.exists()
        if open_folder(self.folder):
            complete, begun = self._ours(self.folder), self._ours(self._tasks)
            if not force:
                if complete and not begun:
                    yield False
                    return
                if not begun:
                    raise OutputError(self._refusal())
            elif (self.folder / MANIFEST).exists() and not Manifest.is_one(self.folder):
                raise OutputError(
                    f"the output folder {self.folder} holds a {MANIFEST} of something else, "
                    "which --force does not replace: choose another folder"
                )
        open_folder(self._tasks)
        with self._lock():
            if force:
                self._remove_tasks(but="lock")
            self._manifest.write(self._tasks)
            yield True

    def _ours(self, folder: Path) -> bool:
        """Whether a folder's manifest is of this very collection."""
        try:
            found = Manifest.load(folder)
        except SampleError:
            return False
        return (found.config, found.software, found.schema) == (
            json.loads(json.dumps(self._manifest.config)),
            self._manifest.software,
            self._manifest.schema,
        )

    def _refusal(self) -> str:
        found = Manifest.is_one(self.folder) or Manifest.is_one(self._tasks)
        what = "holds another collection" if found else "is not empty"
        return (
            f"the output folder {self.folder} {what}; nothing was written: choose another "
            "folder, or replace it with --force"
        )

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with open(self._tasks / "lock", "w") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OutputError(
                    f"another process is collecting into {self.folder}: wait for it, or stop it"
                ) from None
            yield

    def _remove_tasks(self, *, but: str = "") -> None:
        # Only what a collection writes: somebody else's files stay.
        for path in list(self._tasks.iterdir()):
            if _OUR_TASK_FILE.fullmatch(path.name) and path.name != but:
                path.unlink(missing_ok=True)
        if not any(self._tasks.iterdir()):
            self._tasks.rmdir()

    def run(
        self,
        tasks: Sequence[CollectTask],
        *,
        workers: int,
        on_progress: Callable[[Progress], None],
    ) -> None:
        """Run the tasks that are not done yet, failed ones again; commit each as it ends."""
        outcomes = [self._outcome(number) for number in range(len(tasks))]
        done = {n: o for n, o in enumerate(outcomes) if o is not None and o.outcome != "failed"}
        waiting = [number for number in range(len(tasks)) if number not in done]
        n_done, samples = len(done), sum(outcome.samples for outcome in done.values())
        on_progress(Progress(n_done, len(tasks), samples))
        for place, result in run_tasks(run_task, [tasks[n] for n in waiting], workers=workers):
            number = waiting[place]
            if isinstance(result, WorkerDiedError):
                outcome = InstanceOutcome(
                    instance=tasks[number].name, outcome="failed", reason=str(result)
                )
                result = TaskResult(outcome=outcome)
            self._commit(number, result)
            n_done += 1
            samples += result.outcome.samples
            on_progress(Progress(n_done, len(tasks), samples))

    def _task_file(self, number: int, suffix: str) -> Path:
        return self._tasks / f"{number:06d}{suffix}"

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
        """Merge the tasks' samples into shards, in the order of the instances.

        Raises
        ------
        InstanceError
            If no instance could be read. What stood in the folder before stays.
        """
        outcomes = [self._outcome(number) for number in range(n_tasks)]
        final = _mark_duplicates([outcome for outcome in outcomes if outcome is not None])
        unreadable = [outcome for outcome in final if outcome.outcome == "unreadable"]
        if len(unreadable) == n_tasks:
            self._remove_tasks()
            if self._is_new:
                self.folder.rmdir()
            raise InstanceError(
                f"none of the {n_tasks} instance files can be read; the first: "
                f"{unreadable[0].reason}"
            )
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
        old = Manifest.shard_files(self.folder)
        replace(
            self._manifest,
            shards=tuple(shards),
            instances=tuple(asdict(outcome) for outcome in final),
        ).write(self.folder)
        for name in old - {entry.file for entry in shards}:
            (self.folder / name).unlink(missing_ok=True)
        if not any(outcome.outcome == "failed" for outcome in final):
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
