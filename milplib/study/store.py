"""Files of a study's results: the record ``study.json`` and the runs ``runs.parquet``.

``study.json`` holds one entry per finished task, one per line. The suffix of an output decides
where it is kept: rows of a ``.parquet`` file in ``runs.parquet``, with the address of the task,
the content of a ``.json`` file in the entry, and any other output in a separate file.
``runs.parquet`` is written before ``study.json``, and both are replaced atomically. A kill between
them loses nothing: the next write drops rows without an entry.
"""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from milplib.errors import ResultsError
from milplib.evaluation.parquet import read_parquet
from milplib.evaluation.table import check_table, read_table
from milplib.files import atomic_write, file_sha256
from milplib.parsing import read_json
from milplib.schema import conforming
from milplib.study.task import digest_of

__all__ = ["RECORD", "RUNS", "StudyFiles", "TaskEntry", "rows_digest"]

RECORD = "study.json"
"""Name of the record in the folder of results."""
RUNS = "runs.parquet"
"""Name of the table of runs in the folder of results."""

_FORMAT, _VERSION = "milplib-study", 2
_TASK = "task"


@dataclass(frozen=True, kw_only=True)
class TaskEntry:
    """Entry of a finished task in the record.

    Parameters
    ----------
    stage, label
        Stage and label of the task.
    content
        Content whose digest is the address.
    digest
        SHA-256 of the result.
    facts
        Facts for the summary or a reader.
    seconds
        Seconds of one core.
    software
        Versions of the software that did the task.
    files
        SHA-256 of each output by its name in the results; for a table, SHA-256 of its rows.
    order
        Names of the outputs in the order of the task; another study maps them to its names.
    documents
        Content of JSON outputs, by name.
    """

    stage: str
    label: str
    content: Mapping[str, Any]
    digest: str
    facts: Mapping[str, Any]
    seconds: float
    software: Mapping[str, str]
    files: Mapping[str, str]
    order: tuple[str, ...]
    documents: Mapping[str, Any] = field(default_factory=dict)


def rows_digest(table: pa.Table) -> str:
    """Return the SHA-256 of the rows of a table, ignoring nulls.

    Examples
    --------
    >>> table = pa.table({"a": [1, 2], "b": pa.nulls(2)})
    >>> rows_digest(table) == rows_digest(pa.table({"a": [1, 2]}))
    True
    """
    rows = [
        {name: value for name, value in row.items() if value is not None}
        for row in table.to_pylist()
    ]
    return digest_of(rows)


class StudyFiles:
    """Record and runs in a folder of results.

    Results in the layout of earlier versions, with a file per table and manifest, are read, too;
    the next `write` converts them to the present layout.

    Parameters
    ----------
    folder
        The folder; it need not exist.

    Raises
    ------
    ResultsError
        If the record is damaged, or of a newer version.

    Examples
    --------
    >>> StudyFiles(Path("no/such/folder")).entries
    {}
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries: dict[str, TaskEntry] = {}
        self._rows: dict[str, pa.Table] = {}
        self._checked: dict[str, bool] = {}
        self._earlier: list[Path] = []
        self.is_of_earlier_layout = False
        path = folder / RECORD
        try:
            content = read_json(path)
            if content["format"] != _FORMAT or content["version"] not in (1, _VERSION):
                raise ResultsError(
                    f"{path} is not a record of a study that this milplib reads: version "
                    f"{content['version']} of {content['format']}; install a newer milplib"
                )
            self.is_of_earlier_layout = content["version"] == 1
            if self.is_of_earlier_layout:
                self._read_earlier(content["pieces"])
            else:
                self.entries = {
                    address: _entry(known) for address, known in content["tasks"].items()
                }
        except FileNotFoundError:
            return
        except OSError as error:
            raise ResultsError(f"cannot read {path}: {error.strerror or error}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ResultsError(
                f"the record {path} is damaged ({error!r}): restore it from the repository"
            ) from error

    @cached_property
    def _stored(self) -> pa.Table | None:
        path = self.folder / RUNS
        return read_parquet(path, noun="runs") if path.is_file() else None

    def rows(self, address: str) -> pa.Table | None:
        """Return the rows of a task, in their original order; None if there are none.

        Raises
        ------
        ResultsError
            If ``runs.parquet`` is damaged.
        """
        if address not in self._rows and self._stored is not None:
            where = f"{self.folder / RUNS}"
            if _TASK not in self._stored.column_names:
                raise ResultsError(f"{where} is damaged: it has no column '{_TASK}'")
            table = self._stored.filter(pc.equal(self._stored.column(_TASK), address))
            if len(table):
                own = table.drop_columns([_TASK]).combine_chunks()
                self._rows[address] = check_table(own, where=where)
        return self._rows.get(address)

    def is_whole(self, address: str) -> bool:
        """Whether the rows and documents of a task exist as they were recorded."""
        if address not in self._checked:
            self._checked[address] = self._check(address, self.entries[address])
        return self._checked[address]

    def _check(self, address: str, entry: TaskEntry) -> bool:
        for name, sha256 in entry.files.items():
            if name.endswith(".json") and name not in entry.documents:
                return False
            if name.endswith(".parquet"):
                rows = self.rows(address)
                if rows is None or rows_digest(rows) != sha256:
                    return False
        return True

    def put(self, address: str, entry: TaskEntry, rows: pa.Table | None) -> None:
        """Add the entry and rows of a task; drop tasks with an output of the same name."""
        names = set(entry.files)
        self.drop([known for known, other in self.entries.items() if names & set(other.files)])
        self.entries[address], self._checked[address] = entry, True
        if rows is not None:
            self._rows[address] = rows

    def drop(self, addresses: Collection[str]) -> None:
        """Drop the entries and rows of tasks."""
        for address in addresses:
            for known in (self.entries, self._rows, self._checked):
                known.pop(address, None)

    def write(self) -> None:
        """Write both files, and remove those of an earlier layout that they replace.

        Raises
        ------
        OutputError
            If the files cannot be written.
        """
        addresses = sorted(self.entries, key=lambda known: (self.entries[known].order, known))
        by_task = {
            address: rows for address in addresses if (rows := self.rows(address)) is not None
        }
        if by_task:
            tables = [
                table.add_column(0, _TASK, pa.array([address] * len(table), pa.string()))
                for address, table in by_task.items()
            ]
            joined = pa.concat_tables(tables, promote_options="default")
            with atomic_write(self.folder / RUNS) as stream:
                pq.write_table(joined, stream, compression="zstd", compression_level=19)
        lines = [
            f"{json.dumps(address)}:{_compact(asdict(self.entries[address]))}"
            for address in sorted(self.entries)
        ]
        text = io.StringIO()
        text.write(f'{{"format":"{_FORMAT}","version":{_VERSION},"tasks":{{\n')
        text.write(",\n".join(lines))
        text.write("\n}}\n")
        with atomic_write(self.folder / RECORD) as stream:
            stream.write(text.getvalue().encode())
        self.__dict__.pop("_stored", None)
        for path in self._earlier:
            path.unlink(missing_ok=True)
            for folder in (path.parent, path.parent.parent):
                with suppress(OSError):  # the folder is not empty
                    folder.rmdir()
        self._earlier, self.is_of_earlier_layout = [], False

    def _read_earlier(self, tasks: Mapping[str, Mapping[str, Any]]) -> None:
        """Read the first version of the record, with tables and manifests in files beside it."""
        for address, known in tasks.items():
            entry = _entry({**known, "documents": {}})
            files, documents = dict(entry.files), {}
            for name, sha256 in entry.files.items():
                path = self.folder / name
                if path.suffix not in (".parquet", ".json"):
                    continue
                self._earlier.append(path)
                if not (path.is_file() and file_sha256(path) == sha256):
                    continue
                if path.suffix == ".json":
                    documents[name] = read_json(path)
                else:
                    self._rows[address] = read_table(path)
                    files[name] = rows_digest(self._rows[address])
            entry = replace(entry, files=files, documents=documents)
            self.entries[address] = _renamed(entry)


def _renamed(entry: TaskEntry) -> TaskEntry:
    """Return an entry of the first version with the names of the present version."""

    def renamed(name: str) -> str:
        return f"rules/{name.removeprefix('natives/')}" if name.startswith("natives/") else name

    return replace(
        entry,
        stage={"natives": "rules"}.get(entry.stage, entry.stage),
        files={renamed(name): sha256 for name, sha256 in entry.files.items()},
        order=tuple(map(renamed, entry.order)),
        documents={renamed(name): content for name, content in entry.documents.items()},
    )


def _entry(known: Mapping[str, Any]) -> TaskEntry:
    conforming(known, TaskEntry, exact=True)
    for name in known["files"]:
        if PurePath(name).is_absolute() or ".." in PurePath(name).parts:
            raise ValueError(f"an output is named '{name}', outside the folder")
    return TaskEntry(
        stage=str(known["stage"]),
        label=str(known["label"]),
        content=dict(known["content"]),
        digest=str(known["digest"]),
        facts=dict(known["facts"]),
        seconds=float(known["seconds"]),
        software=dict(known["software"]),
        files=dict(known["files"]),
        order=tuple(known["order"]),
        documents=dict(known["documents"]),
    )


def _compact(content: object) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
