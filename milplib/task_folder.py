"""A folder in which a long job goes on task by task, is killed, and goes on again."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from milplib.errors import OutputError
from milplib.files import atomic_write, atomic_write_json, exclusive_lock, open_folder

__all__ = ["MANIFEST", "UNFINISHED", "TaskFolder"]

MANIFEST = "manifest.json"
"""Name of the manifest in a job's folder: what the job is, and that it is complete."""
UNFINISHED = "unfinished"
"""Name of the folder in it where a job goes on."""


class TaskFolder(ABC):
    """The folder in which a job of many tasks goes on, or is complete.

    A job that goes on has a folder ``unfinished`` in it, with the job's manifest, and files for
    each finished task. Only when all are done, the results and the folder's own manifest are
    written, in the place of an older job's; then ``unfinished`` goes.

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
    result_files: ClassVar[tuple[str, ...]] = ()
    """Names of the files beside the manifest that a complete job has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._tasks = folder / UNFINISHED
        self._is_new = False

    @abstractmethod
    def has_manifest(self, folder: Path) -> bool:
        """Whether a folder has the manifest of a job of this kind, of whatever version."""

    @abstractmethod
    def is_same_job(self, folder: Path) -> bool:
        """Whether a folder's manifest is of this very job."""

    @abstractmethod
    def write_manifest(self, folder: Path) -> None:
        """Write this job's manifest, without results, into a folder."""

    @contextmanager
    def claim(self, *, force: bool) -> Iterator[bool]:
        """Make or check the folder and lock it; tell whether there is anything to do.

        Raises
        ------
        OutputError
            If the folder is in use by anything but this very job and `force` is False, if it
            holds a manifest of something else, or if another process works in it.
        """
        self._is_new = not self.folder.exists()
        if open_folder(self.folder):
            complete, begun = self.is_same_job(self.folder), self.is_same_job(self._tasks)
            if not force:
                if complete and not begun:
                    yield False
                    return
                if not begun:
                    raise OutputError(self._refusal())
            else:
                self._spare_others()
        open_folder(self._tasks)
        busy = f"another process is {self.verb} into {self.folder}: wait for it, or stop it"
        with exclusive_lock(self._tasks / "lock", busy=busy):
            if force:
                self.remove_tasks(but="lock")
            self.write_manifest(self._tasks)
            yield True

    def _spare_others(self) -> None:
        """Refuse to replace files that only have the names of ours."""
        foreign = []
        if not self.has_manifest(self.folder):
            foreign = (
                [MANIFEST] if self.has_manifest(self._tasks) else [MANIFEST, *self.result_files]
            )
        for name in foreign:
            if (self.folder / name).exists():
                raise OutputError(
                    f"the output folder {self.folder} holds a {name} of something else, "
                    "which --force does not replace: choose another folder"
                )

    def _refusal(self) -> str:
        found = self.has_manifest(self.folder) or self.has_manifest(self._tasks)
        what = f"holds another {self.noun}" if found else "is not empty"
        return (
            f"the output folder {self.folder} {what}; nothing was written: choose another "
            "folder, or replace it with --force"
        )

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

        The content comes last: where it stands, the data do too.
        """
        for other, piece in (data or {}).items():
            with atomic_write(self.task_file(number, other)) as stream:
                stream.write(piece)
        atomic_write_json(self.task_file(number, suffix), dict(content))

    def remove_tasks(self, *, but: str = "") -> None:
        """Remove what is unfinished; only what a job of this kind writes: other files stay."""
        suffixes = "|".join(map(re.escape, self.suffixes))
        ours = re.compile(rf"\d{{6}}({suffixes})|{re.escape(MANIFEST)}|lock")
        for path in list(self._tasks.iterdir()):
            if ours.fullmatch(path.name) and path.name != but:
                path.unlink(missing_ok=True)
        if not any(self._tasks.iterdir()):
            self._tasks.rmdir()

    def discard(self) -> None:
        """Leave things as they were before a job that cannot give anything."""
        self.remove_tasks()
        if self._is_new:
            self.folder.rmdir()
