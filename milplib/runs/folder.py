"""A folder in which a long job goes on task by task, is killed, and goes on again."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

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
from milplib.runs.record import ENVIRONMENT, PROGRESS, RunRecord

__all__ = ["LOCK", "MANIFEST", "UNFINISHED", "TaskFolder"]

MANIFEST = "manifest.json"
"""Name of the manifest in a job's folder: what the job is, and that it is complete."""
UNFINISHED = "unfinished"
"""Name of the folder in it where a job goes on."""
LOCK = "lock"
"""Name of the file in that folder which the working process has locked."""


class TaskFolder(ABC):
    """The folder in which a job of many tasks goes on, or is complete.

    A job that goes on has a folder ``unfinished`` in it, with the job's manifest, and files for
    each finished task. Only when all are done, the results and the folder's own manifest are
    written, in the place of an older job's; then ``unfinished`` goes. Where and when the job ran
    stands in ``environment.json`` beside the results, which are the same wherever that is.

    A kind of job is a subclass; it says what its manifest is, and writes the results.

    Parameters
    ----------
    folder
        The folder.
    """

    noun: ClassVar[str]
    """What the job is called in messages, such as ``"collection"``."""
    verb: ClassVar[str]
    """What it does in messages, such as ``"collecting"``."""
    suffixes: ClassVar[tuple[str, ...]]
    """Suffixes of the files of a task, all that may ever be removed."""
    result_files: tuple[str, ...] = ()
    """Names of the files beside the manifest that a complete job has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._tasks = folder / UNFINISHED
        self._is_new = False
        self._record: RunRecord | None = None
        self._failed: set[int] = set()

    @abstractmethod
    def has_manifest(self, folder: Path) -> bool:
        """Whether a folder has the manifest of a job of this kind, of whatever version."""

    @abstractmethod
    def is_same_job(self, folder: Path) -> bool:
        """Whether a folder's manifest is of this very job."""

    @abstractmethod
    def write_manifest(self, folder: Path) -> None:
        """Write this job's manifest, without results, into a folder."""

    @abstractmethod
    def manifest_content(self) -> dict[str, Any]:
        """Give what this job's manifest says, as JSON."""

    @classmethod
    @abstractmethod
    def format_versions(cls, content: Mapping[str, Any]) -> dict[str, object]:
        """Give the versions of the formats that a manifest says it is written in, by name."""

    @contextmanager
    def claim(self, *, force: bool) -> Iterator[bool]:
        """Make or check the folder and lock it; tell whether there is anything to do.

        Raises
        ------
        NoSpaceError
            If there is no room, be it in the block: what is finished is kept.
        OutputError
            If the folder is in use by anything but this very job and `force` is False, if it
            holds a manifest of something else, if another process works in it, or if it is
            read-only.
        """
        self._is_new = not self.folder.exists()
        try:
            with self._claimed(force=force) as has_work:
                yield has_work
        except NoSpaceError as error:
            raise NoSpaceError(
                f"{error}; what was finished is kept: make room there and run the same command "
                "again, it goes on where it stopped"
            ) from error

    @contextmanager
    def _claimed(self, *, force: bool) -> Iterator[bool]:
        if not self._has_work(force=force):
            yield False
            return
        check_writable(self.folder)
        with self._locked():
            if not self._has_work(force=force):
                self._remove()  # another process has finished it meanwhile
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
        """Whether this job is to be done or to go on here; refuse a folder of something else."""
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
        """Whether all there is was made by a process that has ended, or not yet begun."""
        if {path.name for path in self.folder.iterdir()} != {UNFINISHED}:
            return False
        if not self._tasks.is_dir():
            return False
        return all(path.name == LOCK or is_leftover(path) for path in self._tasks.iterdir())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Make and lock the folder where the job goes on."""
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
                    # It went with the process that has finished the job just now.
            yield

    def _spare_others(self) -> None:
        """Refuse to replace files that only have the names of ours."""
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
        what, advice = "is not empty", ""
        for folder in (self._tasks, self.folder):
            if self.has_manifest(folder):
                what = f"holds another {self.noun}"
                if versions := self._other_versions(folder):
                    what = f"holds a {self.noun} of {versions}"
                    advice = "install those versions to go on, "
                break
        return (
            f"the output folder {self.folder} {what}; nothing was written: {advice}choose another "
            "folder, or replace it with --force"
        )

    def _other_versions(self, folder: Path) -> str:
        """Say in which versions a manifest was written, and ours, where these are others."""
        found, ours = json.loads((folder / MANIFEST).read_bytes()), self.manifest_content()
        software = found.get("software")
        there = (software if isinstance(software, dict) else {}) | self.format_versions(found)
        here = ours["software"] | self.format_versions(ours)
        others = [name for name in here if not json_equal(there.get(name), here[name])]
        if not others:
            return ""
        # Of which milplib it is helps, even where that is the same.
        names = list(dict.fromkeys(["milplib", *others]))
        return f"{_versions(there, names)}, and this is {_versions(here, names)}"

    def task_file(self, number: int, suffix: str) -> Path:
        """Path of one of the files of a task."""
        return self._tasks / f"{number:06d}{suffix}"

    def read_task(self, number: int, suffix: str = ".json") -> dict[str, Any] | None:
        """Read what a task gave; None if it is not done."""
        try:
            content = json.loads(self.task_file(number, suffix).read_bytes())
        except (OSError, ValueError):
            return None
        return content if isinstance(content, dict) else None

    def write_task(
        self,
        number: int,
        content: Mapping[str, Any],
        *,
        suffix: str = ".json",
        data: Mapping[str, bytes] | None = None,
    ) -> None:
        """Write what a task gave, and beside it data by suffix.

        The content comes last: where it stands, the data do too. A content with a ``failure``
        that is not empty is of a task whose process ended without a result.
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
        """Whether there are tasks whose process ended without a result in this session."""
        return bool(self._failed)

    def note_execution(self, execution: Execution) -> None:
        """Write down where the tasks of this job are run."""
        if self._record is not None:
            self._record.note_execution(asdict(execution))

    def end(self, *, retry: bool) -> None:
        """End a job whose results are there: write beside them where and when it ran.

        Parameters
        ----------
        retry
            Whether what is unfinished stays, so that the same call tries its failed tasks again.
        """
        if self._record is not None:
            self._record.write(self.folder)
        if not retry:
            self._remove()

    def _remove(self, *, but: str = "") -> None:
        """Remove what is unfinished; only what a job of this kind writes: other files stay."""
        suffixes = "|".join(map(re.escape, self.suffixes))
        names = "|".join(map(re.escape, (MANIFEST, ENVIRONMENT, PROGRESS, LOCK)))
        ours = re.compile(rf"\d{{6}}({suffixes})|{names}")
        paths = [path for path in self._tasks.iterdir() if ours.fullmatch(path.name)]
        # The lock last: whoever gets another one by its name must find nothing of ours.
        for path in sorted(paths, key=lambda path: path.name == LOCK):
            if path.name != but:
                path.unlink(missing_ok=True)
        if not but:
            self._record = None
        with suppress(OSError):  # it holds something else, or somebody's lock already
            self._tasks.rmdir()

    def discard(self) -> None:
        """Leave things as they were before a job that cannot give anything."""
        self._remove()
        if self._is_new:
            with suppress(OSError):
                self.folder.rmdir()


def _versions(software: Mapping[str, object], names: Iterable[str]) -> str:
    return ", ".join(f"{name} {software.get(name) or 'of an unknown version'}" for name in names)
