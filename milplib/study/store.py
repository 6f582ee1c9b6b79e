"""The files of a study's results: ``study.json``, which says what is done, and ``runs.parquet``.

``study.json`` holds an entry for each finished task, a task a line. The suffix of an output says
where it is kept: the rows of a ``.parquet`` in ``runs.parquet``, with the task's address, the
content of a ``.json`` in the entry, and all else in a file of its own. ``runs.parquet`` is written
before ``study.json``, both aside and renamed, so that a kill between them loses nothing: the next
write drops rows that no entry names.
"""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from milplib.errors import ResultsError
from milplib.evaluation.parquet import read_parquet
from milplib.evaluation.table import check_table, read_table
from milplib.files import atomic_write, file_sha256
from milplib.study.task import digest_of

__all__ = ["RECORD", "RUNS", "StudyFiles", "TaskEntry", "rows_digest"]

RECORD = "study.json"
"""Name of the record in the folder of the results."""
RUNS = "runs.parquet"
"""Name of the table beside it."""

_FORMAT, _VERSION = "milplib-study", 2
_TASK = "task"


@dataclass(frozen=True, kw_only=True)
class TaskEntry:
    """What the record says of a finished task.

    Parameters
    ----------
    stage, label
        The task's.
    content
        What its address is the digest of.
    digest
        SHA-256 of what it made.
    facts
        What the summary, or a reader, wants to know.
    seconds
        What it took, of one core.
    software
        Versions that it was made with.
    files
        SHA-256 of each output by its name in the results; of a table, of its rows.
    order
        These names in the task's own order, by which another study finds its own names.
    documents
        The content of outputs in JSON, by name.
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
    """SHA-256 of the rows of a table, without columns that say nothing.

    Examples
    --------
    >>> one = pa.table({"a": [1, 2], "b": pa.nulls(2)})
    >>> rows_digest(one) == rows_digest(pa.table({"a": [1, 2]}))
    True
    """
    rows = [
        {name: value for name, value in row.items() if value is not None}
        for row in table.to_pylist()
    ]
    return digest_of(rows)


class StudyFiles:
    """The record and the runs in a folder of results, which need not be there.

    Results in the layout of earlier versions, a file for every table and manifest, are read, too;
    the next `write` brings them into this one.

    Parameters
    ----------
    folder
        The folder.

    Raises
    ------
    ResultsError
        If the record is damaged, or of another version.

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
            content = json.loads(path.read_bytes())
            if content["format"] != _FORMAT or content["version"] not in (1, _VERSION):
                raise ResultsError(
                    f"{path} is no record of a study that this milplib reads: version "
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
                f"the record {path} is damaged ({error!r}): take it from the repository again"
            ) from error

    @cached_property
    def _stored(self) -> pa.Table | None:
        path = self.folder / RUNS
        return read_parquet(path, noun="runs") if path.is_file() else None

    def rows(self, address: str) -> pa.Table | None:
        """Give the rows that a task made, in its own order.

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
        """Whether the rows and documents of a task are there, as they were recorded."""
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
        """Add what a task made; whatever had one of its names before is there no more."""
        names = set(entry.files)
        self.drop([one for one, other in self.entries.items() if names & set(other.files)])
        self.entries[address], self._checked[address] = entry, True
        if rows is not None:
            self._rows[address] = rows

    def drop(self, addresses: Collection[str]) -> None:
        """Forget tasks."""
        for address in addresses:
            for known in (self.entries, self._rows, self._checked):
                known.pop(address, None)

    def write(self) -> None:
        """Write both files, and remove those of an earlier layout that they replace.

        Raises
        ------
        OutputError
            If they cannot be written.
        """
        addresses = sorted(self.entries, key=lambda one: (self.entries[one].order, one))
        by_task = {one: rows for one in addresses if (rows := self.rows(one)) is not None}
        if by_task:
            tables = [
                table.add_column(0, _TASK, pa.array([one] * len(table), pa.string()))
                for one, table in by_task.items()
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
                with suppress(OSError):  # it holds something else
                    folder.rmdir()
        self._earlier, self.is_of_earlier_layout = [], False

    def _read_earlier(self, tasks: Mapping[str, Mapping[str, Any]]) -> None:
        """Read the first version of the record, with tables and manifests as files beside it."""
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
                    documents[name] = json.loads(path.read_bytes())
                else:
                    self._rows[address] = read_table(path)
                    files[name] = rows_digest(self._rows[address])
            entry = replace(entry, files=files, documents=documents)
            self.entries[address] = _renamed(entry)


def _renamed(entry: TaskEntry) -> TaskEntry:
    """Give an entry of the first version with the names of this one."""

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
