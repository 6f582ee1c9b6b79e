"""Contents of a run's folder, read from its files: tasks, results and failures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from milplib.errors import ResultsError
from milplib.parsing import read_json
from milplib.runs.folder import MANIFEST
from milplib.runs.kind import RunContents, RunKind, find_run_kind
from milplib.schema import conforming

__all__ = ["RunFile", "open_run"]

_TASK_FILE = re.compile(r"\d{6,}\.json")
_DAMAGE = (KeyError, TypeError, ValueError, AttributeError)


@dataclass(frozen=True, kw_only=True)
class RunFile:
    """Manifest of a run, and its folder.

    Parameters
    ----------
    folder
        Folder of the manifest.
    kind
        Kind of run.
    content
        Parsed content of the manifest.
    """

    folder: Path
    kind: RunKind
    content: Mapping[str, Any]

    @property
    def total(self) -> int:
        """Number of tasks."""
        return self.kind.total(self.content)

    @property
    def software(self) -> dict[str, str]:
        """Software versions at the start of the run."""
        return conforming(self.content["software"], dict[str, str], name="software")

    def is_same(self, other: RunFile) -> bool:
        """Whether two manifests belong to the same run, complete or not."""
        names = ("format", "config", "software")
        return all(self.content[name] == other.content[name] for name in names)

    def unfinished(self) -> RunContents:
        """Read the files of the tasks. A damaged file counts as an unfinished task.

        Raises
        ------
        ResultsError
            If a task's content is not what a run of this kind writes.
        """
        with _naming_damage(self.folder):
            return self.kind.unfinished(list(self._tasks()))

    def finished(self) -> RunContents:
        """Read the results.

        Raises
        ------
        ResultsError
            If the results are missing or damaged.
        """
        with _naming_damage(self.folder):
            return self.kind.finished(self.content, self.folder)

    def _tasks(self) -> Iterator[Mapping[str, object]]:
        for path in sorted(self.folder.iterdir()):
            if _TASK_FILE.fullmatch(path.name):
                try:
                    content = read_json(path)
                except (OSError, ValueError):
                    continue
                if isinstance(content, dict):
                    yield content


def open_run(folder: Path) -> RunFile | None:
    """Read the manifest of a run; return None unless an installed package reads its kind.

    Raises
    ------
    ResultsError
        If the manifest cannot be read, is damaged or has another version.

    Examples
    --------
    >>> open_run(Path("no/such/folder")) is None
    True
    """
    path = folder / MANIFEST
    try:
        content = read_json(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ResultsError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise ResultsError(f"{path} is damaged: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("format"), str):
        return None
    kind = find_run_kind(content["format"])
    if kind is None:
        return None
    version = content.get("version", 1)
    if version != kind.version:
        software = content.get("software")
        by = software.get("milplib", "another") if isinstance(software, dict) else "another"
        raise ResultsError(
            f"{path} has version {version}, of milplib {by}; this milplib reads {kind.version}: "
            "use that one"
        )
    run = RunFile(folder=folder, kind=kind, content=content)
    with _naming_damage(path):
        _ = run.total, run.software, content["config"]
    return run


@contextmanager
def _naming_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise ResultsError(f"{path} is damaged: {error!r}") from error
