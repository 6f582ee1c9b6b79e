"""Folder of a long job, which is worked on task by task and resumed after interruptions."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import ClassVar

from milplib.errors import NoSpaceError, OutputError
from milplib.execution import Execution
from milplib.files import (
    atomic_write,
    atomic_write_json,
    check_writable,
    exclusive_lock,
    is_leftover,
    json_equal,
    make_folder,
    open_folder,
    remove_leftovers,
)
from milplib.parsing import read_json
from milplib.runs.record import ENVIRONMENT, PROGRESS, RunRecord

__all__ = ["LOCK", "MANIFEST", "UNFINISHED", "TaskFolder"]

MANIFEST = "manifest.json"
"""Name of the manifest in a job's folder. It identifies the job, and shows that it is complete."""
UNFINISHED = "unfinished"
"""Name of the subfolder of a job in progress."""
LOCK = "lock"
"""Name of the lock file in that subfolder, held by the working process."""


class TaskFolder(ABC):
    """Folder of a job of many tasks, in progress or complete.

    A job in progress has a subfolder ``unfinished`` with the job's manifest and the files of
    each finished task. Only when all tasks are done, the results and the folder's own manifest
    are written, replacing those of an older job, and ``unfinished`` is removed. The time and
    place of the job are written to ``environment.json``, so that the results do not depend on
    them.

    A subclass is a kind of job. It defines the manifest, and writes the results.

    Parameters
    ----------
    folder
        Folder of the job.
    """

    noun: ClassVar[str]
    """Noun for the job in messages, such as ``"collection"``."""
    verb: ClassVar[str]
    """Verb for the job in messages, such as ``"collecting"``."""
    suffixes: ClassVar[tuple[str, ...]]
    """Suffixes of the files of a task. No other files are ever removed."""
    result_files: tuple[str, ...] = ()
    """Names of the result files of a complete job, beside the manifest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._tasks = folder / UNFINISHED
        self._is_new = False
        self._record: RunRecord | None = None
        self._failed: set[int] = set()

    @abstractmethod
    def has_manifest(self, folder: Path) -> bool:
        """Whether a folder has the manifest of a job of this kind, in any version."""

    @abstractmethod
    def is_same_job(self, folder: Path) -> bool:
        """Whether a folder's manifest belongs to this job."""

    @abstractmethod
    def write_manifest(self, folder: Path) -> None:
        """Write this job's manifest, without results, into a folder."""

    @abstractmethod
    def manifest_content(self) -> Mapping[str, object]:
        """Return the content of this job's manifest as JSON values."""

    @classmethod
    @abstractmethod
    def format_versions(cls, content: Mapping[str, object]) -> dict[str, object]:
        """Return the format versions named in a manifest, by name."""

    @contextmanager
    def claim(self, *, force: bool) -> Iterator[bool]:
        """Create or check the folder and lock it; yield whether there is work to do.

        Raises
        ------
        NoSpaceError
            If the disk is full, here or in the block. Finished tasks are kept.
        OutputError
            If the folder holds anything but this job and `force` is False, if it holds files of
            something else under the same names, if another process works in it, or if it is
            read-only.
        """
        self._is_new = not self.folder.exists()
        try:
            with self._claimed(force=force) as has_work:
                yield has_work
        except NoSpaceError as error:
            raise NoSpaceError(
                f"{error}; what was finished is kept: make room there and run the same command "
                "again, it resumes where it stopped"
            ) from error

    @contextmanager
    def _claimed(self, *, force: bool) -> Iterator[bool]:
        if not self._has_work(force=force):
            yield False
            return
        check_writable(self.folder)
        with self._locked():
            if not self._has_work(force=force):
                self._remove()  # another process has finished the job meanwhile
                yield False
                return
            for folder in (self.folder, self._tasks):
                remove_leftovers(folder)
            if force:
                self._remove(but=LOCK)
            self.write_manifest(self._tasks)
            self._record = RunRecord(self._tasks)
            try:
                yield True
            finally:
                if self._record is not None:
                    self._record.close()

    def _has_work(self, *, force: bool) -> bool:
        """Return whether this job has work to do here; refuse a folder of something else."""
        if not open_folder(self.folder, clean=False) or self._holds_nothing():
            return True
        if force:
            self._spare_others()
            return True
        if self.is_same_job(self._tasks):
            return True
        if self.is_same_job(self.folder):
            return False
        raise OutputError(self._refusal())

    def _holds_nothing(self) -> bool:
        """Return whether all files are left over from a process that has ended or just begun."""
        if {path.name for path in self.folder.iterdir()} != {UNFINISHED}:
            return False
        if not self._tasks.is_dir():
            return False
        return all(path.name == LOCK or is_leftover(path) for path in self._tasks.iterdir())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Create and lock the subfolder of the job in progress."""
        busy = f"another process is {self.verb} into {self.folder}: wait for it, or stop it"
        with ExitStack() as stack:
            is_locked = False
            while not is_locked:
                make_folder(self._tasks)
                try:
                    stack.enter_context(exclusive_lock(self._tasks / LOCK, busy=busy))
                    is_locked = True
                except OutputError:
                    if self._tasks.is_dir():
                        raise
                    # The process that has just finished the job removed the folder.
            yield

    def _spare_others(self) -> None:
        """Refuse to replace foreign files that have the names of the job's files."""
        foreign = []
        if not self.has_manifest(self.folder):
            foreign = (
                [MANIFEST]
                if self.has_manifest(self._tasks)
                else [MANIFEST, ENVIRONMENT, *self.result_files]
            )
        for name in foreign:
            if (self.folder / name).exists():
                raise OutputError(
                    f"the output folder {self.folder} holds a {name} of something else, "
                    "which --force does not replace: choose another folder"
                )

    def _refusal(self) -> str:
        state, advice = "is not empty", ""
        for folder in (self._tasks, self.folder):
            if self.has_manifest(folder):
                state = f"holds another {self.noun}"
                if versions := self._other_versions(folder):
                    state = f"holds a {self.noun} of {versions}"
                    advice = "install those versions to go on, "
                break
        return (
            f"the output folder {self.folder} {state}; nothing was written: {advice}choose another "
            "folder, or replace it with --force"
        )

    def _other_versions(self, folder: Path) -> str:
        """Describe the differing versions of a manifest and of this milplib; empty if equal."""
        theirs, ours = read_json(folder / MANIFEST), self.manifest_content()
        there = {**_software(theirs), **self.format_versions(theirs)}
        here = {**_software(ours), **self.format_versions(ours)}
        others = [name for name in here if not json_equal(there.get(name), here[name])]
        if not others:
            return ""
        # Always name the version of milplib, even if it is the same.
        names = list(dict.fromkeys(["milplib", *others]))
        return f"{_versions(there, names)}, and this is {_versions(here, names)}"

    def task_file(self, number: int, suffix: str) -> Path:
        """Return the path of one of a task's files."""
        return self._tasks / f"{number:06d}{suffix}"

    def read_task(self, number: int, suffix: str = ".json") -> dict[str, object] | None:
        """Read the content that a task wrote; return None if the task is not done."""
        try:
            content = read_json(self.task_file(number, suffix))
        except (OSError, ValueError):
            return None
        return content if isinstance(content, dict) else None

    def write_task(
        self,
        number: int,
        content: Mapping[str, object],
        *,
        suffix: str = ".json",
        data: Mapping[str, bytes] | None = None,
    ) -> None:
        """Write a task's content, and its data by suffix.

        The content is written last, so that its presence implies the data's. A content with a
        non-empty ``failure`` belongs to a task whose process ended without a result.
        """
        data = data or {}
        try:
            for other, piece in data.items():
                with atomic_write(self.task_file(number, other)) as stream:
                    stream.write(piece)
            atomic_write_json(self.task_file(number, suffix), dict(content))
        except OutputError:
            for other in data:
                self.task_file(number, other).unlink(missing_ok=True)
            raise
        if suffix != ".json":
            return
        if content.get("failure"):
            self._failed.add(number)
        if self._record is not None:
            self._record.task_done()

    @property
    def has_failures(self) -> bool:
        """Whether, in this session, some task's process ended without a result."""
        return bool(self._failed)

    def note_execution(self, execution: Execution) -> None:
        """Record where the tasks of this job run."""
        if self._record is not None:
            self._record.note_execution(asdict(execution))

    def end(self, *, retry: bool) -> None:
        """End a job whose results are written, and record where and when it ran.

        Parameters
        ----------
        retry
            Whether to keep the unfinished part, so that the same call retries its failed tasks.
        """
        if self._record is not None:
            self._record.write(self.folder)
        if not retry:
            self._remove()

    def _remove(self, *, but: str = "") -> None:
        """Remove the files of the job in progress, and no others."""
        suffixes = "|".join(map(re.escape, self.suffixes))
        names = "|".join(map(re.escape, (MANIFEST, ENVIRONMENT, PROGRESS, LOCK)))
        ours = re.compile(rf"\d{{6}}({suffixes})|{names}")
        paths = [path for path in self._tasks.iterdir() if ours.fullmatch(path.name)]
        # Remove the lock last: a process that then creates a new lock must find none of our files.
        for path in sorted(paths, key=lambda path: path.name == LOCK):
            if path.name != but:
                path.unlink(missing_ok=True)
        if not but:
            self._record = None
        with suppress(OSError):  # the folder holds foreign files, or another process's lock
            self._tasks.rmdir()

    def discard(self) -> None:
        """Restore the folder as it was before a job that cannot have results."""
        self._remove()
        if self._is_new:
            with suppress(OSError):
                self.folder.rmdir()


def _software(content: Mapping[str, object]) -> Mapping[str, object]:
    software = content.get("software")
    return software if isinstance(software, dict) else {}


def _versions(software: Mapping[str, object], names: Iterable[str]) -> str:
    return ", ".join(f"{name} {software.get(name) or 'of an unknown version'}" for name in names)
