"""Parquet files of tables whose columns have a type and a description."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from milplib.errors import ResultsError
from milplib.files import atomic_write
from milplib.parsing import ParseError, read_regular

_MAX_BYTES = 4 << 30

__all__ = ["Columns", "cast_column", "make_table", "read_parquet", "write_parquet"]

Columns = Mapping[str, tuple[pa.DataType, str]]
"""Type and description of every column of a table."""


def make_table(
    columns: Columns,
    values: Mapping[str, Sequence[object]],
    *,
    metadata: Mapping[str, str] | None = None,
) -> pa.Table:
    """Make a table that holds the description of each column in its metadata.

    Examples
    --------
    >>> table = make_table({"nodes": (pa.int64(), "nodes of the run")}, {"nodes": [7, None]})
    >>> table.schema.field("nodes").metadata
    {b'description': b'nodes of the run'}
    """
    fields = [
        pa.field(name, type_, metadata={"description": meaning})
        for name, (type_, meaning) in columns.items()
    ]
    arrays = [pa.array(values[name], type_) for name, (type_, _) in columns.items()]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=metadata))


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write a table atomically."""
    with atomic_write(path) as stream:
        pq.write_table(table, stream, compression="zstd")


def read_parquet(path: str | os.PathLike[str], *, noun: str) -> pa.Table:
    """Read a table of `noun`, such as ``"runs"``.

    Raises
    ------
    ResultsError
        If the file is missing or damaged.
    """
    try:
        # From memory: truncating a memory-mapped file kills the process that reads it.
        table = pq.read_table(pa.BufferReader(read_regular(path, limit=_MAX_BYTES)))
        _ = table.column_names  # raises if they are no UTF-8; Arrow checks only the values
        table.validate(full=True)
        return table
    except UnicodeDecodeError as error:
        raise ResultsError(f"{path} is damaged: a name of a column is not in UTF-8") from error
    except ParseError as error:
        raise ResultsError(f"cannot read the {noun} in {path}: {error}") from error
    except OSError as error:
        reason = error.strerror or str(error).splitlines()[0]
        raise ResultsError(f"cannot read the {noun} in {path}: {reason}") from error
    except pa.ArrowException as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ResultsError(f"{path} is damaged or no Parquet file: {reason}") from error


def cast_column(table: pa.Table, name: str, type_: pa.DataType, *, where: str) -> pa.ChunkedArray:
    """Return a column, cast to another type.

    Raises
    ------
    ResultsError
        If its values do not fit the type.
    """
    column = table.column(name)
    try:
        return column.cast(type_)
    except pa.ArrowException as error:
        raise ResultsError(
            f"{where}: the column '{name}' is of type {column.type}, not {type_}"
        ) from error
