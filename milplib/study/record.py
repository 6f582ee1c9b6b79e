"""Finished tasks of a study: the committed record, and the folders of work."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from milplib.evaluation.table import read_table
from milplib.files import atomic_write, atomic_write_json, file_sha256, make_folder
from milplib.parsing import read_json
from milplib.study.store import RECORD, StudyFiles, TaskEntry, rows_digest
from milplib.study.task import Task, TaskResult, Workspace

__all__ = ["StudyRecord"]

_DONE = "done.json"


@dataclass(frozen=True, kw_only=True)
class _Source:
    """Outputs of a finished task, by their names in these results."""

    entry: TaskEntry
    files: Mapping[str, Path]
    documents: Mapping[str, Any]
    rows: pa.Table | None


class StudyRecord:
    """Record of finished tasks and their outputs, by address.

    A task is done if the record holds its address and its outputs are intact. For samples and
    instances the record holds a digest only. Policy files may be missing, too: results computed
    from them stay valid without the files.

    Parameters
    ----------
    workspace
        Folders of the study.

    Examples
    --------
    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp())
    >>> StudyRecord(Workspace(data=place / "data", results=place / "results")).facts
    {}
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._files = StudyFiles(workspace.results)

    @property
    def facts(self) -> dict[str, Mapping[str, Any]]:
        """Facts that the finished tasks report, by address."""
        return {address: entry.facts for address, entry in self._files.entries.items()}

    @property
    def entries(self) -> Mapping[str, TaskEntry]:
        """Entries by address."""
        return self._files.entries

    def convert(self) -> None:
        """Convert results of an earlier layout to the present one.

        Raises
        ------
        OutputError
            If the results cannot be written.
        """
        if self._files.is_of_earlier_layout:
            self._files.write()

    def digest(self, task: Task) -> str | None:
        """Return the digest of a task's result, here or in another study; None if unknown."""
        for files in (self._files, *self._siblings):
            if entry := files.entries.get(task.address):
                return entry.digest
        return None

    def has(self, task: Task, *, with_files: bool = False) -> bool:
        """Whether a task is done.

        Parameters
        ----------
        with_files
            Whether files that the record can do without must exist, too.
        """
        entry = self._files.entries.get(task.address)
        if entry is None:
            return False
        return (
            set(task.outputs.values()) <= set(entry.files)
            and self._files.is_whole(task.address)
            and all(
                _is_file(path, entry.files[name])
                for name, path in self._own_files(task)
                if with_files or not task.may_lack_files
            )
        )

    def _own_files(self, task: Task) -> Iterator[tuple[str, Path]]:
        for name in task.outputs.values():
            if not name.endswith((".json", ".parquet")):
                yield name, self._workspace.results / name

    def can_reuse(self, task: Task, *, with_files: bool = False) -> bool:
        """Whether a task was done before, here or for another study, and can be reused."""
        return self._source(task, with_files=with_files) is not None

    def is_at_hand(self, task: Task) -> bool:
        """Whether the files of a task are available as an input of other tasks."""
        if task.outputs:
            return self.has(task, with_files=True) or self.can_reuse(task, with_files=True)
        return self._work(task) is not None

    def reuse(self, tasks: Sequence[Task]) -> None:
        """Copy the outputs of tasks done before into the results."""
        for task in tasks:
            source = self._source(task, with_files=True) or self._source(task)
            assert source is not None
            self._commit(task, source)
        if tasks:
            self._files.write()

    def keep(
        self, task: Task, result: TaskResult, *, seconds: float, software: Mapping[str, str]
    ) -> None:
        """Record a finished task, and copy its outputs into the results.

        Raises
        ------
        OutputError
            If the outputs cannot be written.
        """
        folder = self._workspace.folder(task)
        entry = {
            "digest": result.digest,
            "facts": dict(result.facts),
            "seconds": round(seconds, 3),
            "software": dict(software),
            "files": {name: file_sha256(folder / name) for name in task.outputs},
        }
        atomic_write_json(folder / _DONE, entry)
        source = self._work(task)
        assert source is not None
        self._commit(task, source)
        self._files.write()

    def drop_dependents(self, task: Task) -> list[TaskEntry]:
        """Drop all tasks that depend on a task whose result has changed.

        Returns
        -------
        list of TaskEntry
            Dropped entries.
        """
        changed: set[str] = {task.address}
        dropped: dict[str, TaskEntry] = {}
        entries = self._files.entries
        is_growing = True
        while is_growing:
            dependents = {
                address: entry
                for address, entry in entries.items()
                if address not in changed and changed & set(entry.content["inputs"])
            }
            is_growing = bool(dependents)
            changed |= set(dependents)
            dropped |= dependents
        self._files.drop(dropped)
        for address in dropped:
            # The work refers to the old policy file.
            shutil.rmtree(self._workspace.data / address, ignore_errors=True)
        return list(dropped.values())

    def restore(self, task: Task) -> None:
        """Write the outputs of a task to its folder of work, if all of them are documents."""
        entry = self._files.entries.get(task.address)
        if entry is None or not all(name.endswith(".json") for name in task.outputs.values()):
            return
        for name, output in task.outputs.items():
            make_folder(self._workspace.folder(task))
            atomic_write_json(self._workspace.folder(task) / name, entry.documents[output])

    def _commit(self, task: Task, source: _Source) -> None:
        for name, path in source.files.items():
            target = self._workspace.results / name
            if not _is_file(target, source.entry.files[name]):
                make_folder(target.parent)
                with open(path, "rb") as stream, atomic_write(target) as copy:
                    shutil.copyfileobj(stream, copy)
        entry = replace(
            source.entry,
            stage=task.stage,
            label=task.label,
            content=task.content,
            order=tuple(task.outputs.values()),
            documents=source.documents,
        )
        make_folder(self._workspace.results)
        self._files.put(task.address, entry, source.rows)

    def _source(self, task: Task, *, with_files: bool = False) -> _Source | None:
        """Find the outputs of a task that was done before."""
        if (work := self._work(task)) is not None:
            return work
        for files in self._siblings:
            entry = files.entries.get(task.address)
            if entry is None or len(entry.order) != len(task.outputs):
                continue
            source = self._from_study(files, entry, task, with_files=with_files)
            if source is not None:
                return source
        return None

    def _from_study(
        self, files: StudyFiles, entry: TaskEntry, task: Task, *, with_files: bool
    ) -> _Source | None:
        if not (files.is_whole(task.address) and self._has_same_inputs(files, entry)):
            return None
        # Equal content may have other names there, in the same order.
        theirs = dict(zip(task.outputs.values(), entry.order, strict=True))
        paths, documents, rows = {}, {}, None
        for name, other in theirs.items():
            if name.endswith(".json"):
                documents[name] = entry.documents[other]
            elif name.endswith(".parquet"):
                rows = files.rows(task.address)
            elif _is_file(files.folder / other, entry.files[other]):
                paths[name] = files.folder / other
            elif with_files or not task.may_lack_files:
                return None
        own = {name: entry.files[other] for name, other in theirs.items()}
        return _Source(entry=replace(entry, files=own), files=paths, documents=documents, rows=rows)

    def _has_same_inputs(self, files: StudyFiles, entry: TaskEntry) -> bool:
        """Whether the inputs of an entry have the digests that are recorded here."""
        for address in entry.content["inputs"]:
            ours, theirs = self._files.entries.get(address), files.entries.get(address)
            if ours and theirs and ours.digest != theirs.digest:
                return False
        return True

    def _work(self, task: Task) -> _Source | None:
        """Return the outputs in a task's folder of work; None unless done and intact."""
        folder = self._workspace.folder(task)
        paths, documents, digests, rows = {}, {}, {}, None
        try:
            known = read_json(folder / _DONE)
            for name, output in task.outputs.items():
                path = folder / name
                digests[output] = file_sha256(path)
                if digests[output] != known["files"][name]:
                    return None
                if output.endswith(".json"):
                    documents[output] = read_json(path)
                elif output.endswith(".parquet"):
                    rows = read_table(path)
                    digests[output] = rows_digest(rows)
                else:
                    paths[output] = path
            entry = TaskEntry(
                stage=task.stage,
                label=task.label,
                content=task.content,
                digest=str(known["digest"]),
                facts=dict(known["facts"]),
                seconds=float(known["seconds"]),
                software=dict(known["software"]),
                files=digests,
                order=tuple(task.outputs.values()),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return _Source(entry=entry, files=paths, documents=documents, rows=rows)

    @cached_property
    def _siblings(self) -> list[StudyFiles]:
        """Results of other studies and scales beside this one."""
        results = self._workspace.results
        folders = sorted(path.parent for path in results.parent.parent.glob(f"*/*/{RECORD}"))
        return [StudyFiles(folder) for folder in folders if folder != results]


def _is_file(path: Path, sha256: str) -> bool:
    try:
        return file_sha256(path) == sha256
    except OSError:
        return False
