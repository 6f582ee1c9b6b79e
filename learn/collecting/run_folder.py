"""Folder of a collection: finished tasks while it runs, shards when it is complete."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pyarrow as pa

from milplib.errors import InstanceError, OutputError, SampleError
from milplib.execution import Execution, TaskFailure, run_tasks
from milplib.files import atomic_write
from milplib.learn.collecting.outcome import CollectOutcome
from milplib.learn.collecting.task import CollectTask, InstanceOutcome, TaskResult, run_task
from milplib.learn.samples.shards import (
    Manifest,
    Shard,
    ShardEntry,
    TreeEntry,
    write_batches,
)
from milplib.runs.folder import TaskFolder
from milplib.runs.rows import check_any_read

__all__ = ["Progress", "RunFolder"]

SHARD_BYTES = 64 << 20
"""Size in bytes from which a shard is closed."""


@dataclass(frozen=True)
class Progress:
    """Progress of a collection: instances done, all instances, samples so far."""

    done: int
    total: int
    samples: int


class RunFolder(TaskFolder):
    """Folder of a running or complete collection.

    A finished task has an outcome and, if it yielded any, samples. If tasks failed, the task
    files stay, so that the same call tries the failed tasks again.

    Parameters
    ----------
    folder
        The folder.
    manifest
        Manifest of the collection, without shards.
    """

    noun = "collection"
    verb = "collecting"
    suffixes = (".json", ".samples")

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        super().__init__(folder)
        self._manifest = manifest

    def has_manifest(self, folder: Path) -> bool:
        """Whether a folder has a manifest of samples, of any version."""
        return Manifest.is_one(folder)

    def is_same_job(self, folder: Path) -> bool:
        """Whether a folder's manifest belongs to the same collection."""
        try:
            manifest = Manifest.load(folder)
        except SampleError:
            return False
        return (manifest.config, manifest.software, manifest.schema) == (
            json.loads(json.dumps(self._manifest.config)),
            self._manifest.software,
            self._manifest.schema,
        )

    def write_manifest(self, folder: Path) -> None:
        """Write the manifest without shards."""
        self._manifest.write(folder)

    def manifest_content(self) -> dict[str, object]:
        """Return the software and schema of the manifest as JSON values."""
        return {"software": self._manifest.software, "schema": self._manifest.schema.as_json()}

    @classmethod
    def format_versions(cls, content: Mapping[str, object]) -> dict[str, object]:
        """Return the schema versions of samples and states that a manifest names."""
        schema = content.get("schema")
        schema = schema if isinstance(schema, dict) else {}
        return {f"{part} schema": schema.get(f"{part}_version") for part in ("sample", "state")}

    def run(
        self,
        tasks: Sequence[CollectTask],
        *,
        execution: Execution,
        on_progress: Callable[[Progress], None],
    ) -> None:
        """Run unfinished and failed tasks; commit each as it ends."""
        self.note_execution(execution)
        outcomes = [self._outcome(number) for number in range(len(tasks))]
        done = {
            n: o
            for n, o in enumerate(outcomes)
            if o is not None and o.outcome != CollectOutcome.FAILED
        }
        waiting = [number for number in range(len(tasks)) if number not in done]
        n_done, samples = len(done), sum(outcome.samples for outcome in done.values())
        on_progress(Progress(n_done, len(tasks), samples))
        todo = [tasks[n] for n in waiting]
        files = [task.path for task in todo]
        for place, result in run_tasks(run_task, todo, execution=execution, files=files):
            number = waiting[place]
            if isinstance(result, TaskFailure):
                outcome = InstanceOutcome(
                    instance=tasks[number].name,
                    outcome=CollectOutcome.FAILED,
                    failure=result.kind,
                    reason=str(result),
                )
                result = TaskResult(outcome=outcome)
            self._commit(number, result)
            n_done += 1
            samples += result.outcome.samples
            on_progress(Progress(n_done, len(tasks), samples))

    def _outcome(self, number: int) -> InstanceOutcome | None:
        try:
            outcome = InstanceOutcome.from_json(self.read_task(number) or {})
        except (TypeError, ValueError):
            return None
        is_whole = not outcome.samples or self.task_file(number, ".samples").exists()
        return outcome if is_whole else None

    def _commit(self, number: int, result: TaskResult) -> None:
        data = {".samples": result.samples} if result.samples else {}
        self.write_task(number, asdict(result.outcome), data=data)

    def finish(self, n_tasks: int) -> None:
        """Merge the tasks' samples into shards, in the order of the instances.

        Raises
        ------
        InstanceError
            If no instance could be read. Earlier content of the folder stays.
        OutputError
            If files cannot be written, or files of finished tasks have vanished.
        SampleError
            If a finished task's samples are damaged. The task then counts as unfinished.
        """
        known = [self._outcome(number) for number in range(n_tasks)]
        outcomes = [outcome for outcome in known if outcome is not None]
        if len(outcomes) < n_tasks:
            raise OutputError(
                f"files of {n_tasks - len(outcomes)} finished instances have vanished from "
                f"{self.folder}: run the same command again"
            )
        final = _mark_duplicates(outcomes)
        unread = (o.reason if o.outcome == CollectOutcome.UNREADABLE else None for o in final)
        try:
            check_any_read(unread, n_instances=n_tasks)
        except InstanceError:
            self.discard()
            raise
        shards: list[ShardEntry] = []
        group: list[int] = []
        size = 0
        for number, outcome in enumerate(final):
            if not outcome.samples:
                continue
            group.append(number)
            size += self.task_file(number, ".samples").stat().st_size
            if size >= SHARD_BYTES:
                shards.append(self._merge(group, len(shards)))
                group, size = [], 0
        if group:
            shards.append(self._merge(group, len(shards)))
        old = Manifest.shard_files(self.folder)
        replace(
            self._manifest,
            shards=tuple(shards),
            instances=tuple(outcome.as_json() for outcome in final),
        ).write(self.folder)
        for name in old - {entry.file for entry in shards}:
            (self.folder / name).unlink(missing_ok=True)
        self.end(retry=any(outcome.outcome == CollectOutcome.FAILED for outcome in final))

    def _merge(self, group: list[int], shard_number: int) -> ShardEntry:
        trees: list[TreeEntry] = []

        def batches() -> Iterator[pa.RecordBatch]:
            for task in group:
                for batch in self._batches(task):
                    trees.append(TreeEntry.of(batch))
                    yield batch

        path = self.folder / f"shard-{shard_number:05d}.arrow"
        with atomic_write(path) as stream:
            write_batches(stream, batches(), self._manifest.schema)
        return ShardEntry.of(path, trees)

    def _batches(self, task: int) -> Iterator[pa.RecordBatch]:
        try:
            shard = Shard(self.task_file(task, ".samples"))
            yield from map(shard.batch, range(len(shard)))
        except SampleError as error:
            self.task_file(task, ".json").unlink(missing_ok=True)
            raise SampleError(f"{error}; run the same command again to collect it anew") from error


def _mark_duplicates(outcomes: list[InstanceOutcome]) -> list[InstanceOutcome]:
    """Leave out instances with the same content: their trees would be the same, too."""
    first: dict[str, str] = {}
    marked = []
    for outcome in outcomes:
        original = first.setdefault(outcome.instance_hash, outcome.instance)
        if outcome.instance_hash and original != outcome.instance:
            reason = f"the same content as {original}"
            outcome = replace(outcome, outcome=CollectOutcome.DUPLICATE, samples=0, reason=reason)
        marked.append(outcome)
    return marked
