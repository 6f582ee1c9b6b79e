"""Writing instance files."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import IO

from milplib.errors import InstanceError
from milplib.files import atomic_write
from milplib.formats.lp_writer import lp_lines
from milplib.formats.mps_writer import mps_lines
from milplib.formats.representable import check_names, check_numbers
from milplib.formats.suffixes import file_format, is_compressed
from milplib.instance import Instance

__all__ = ["write"]


def write(instance: Instance, path: str | os.PathLike[str], *, generic_names: bool = False) -> None:
    """Write an instance as an LP or MPS file, plain or compressed by gzip.

    `milplib.read` gives back the same instance: equal arrays in equal order, equal names. Equal
    instances give equal bytes.

    Parameters
    ----------
    instance
        The instance.
    path
        A file name that ends in one of `milplib.formats.SUFFIXES`. An existing file is replaced
        in one step.
    generic_names
        Whether columns and rows are called x1, x2, … and C1, C2, … in the file.

    Raises
    ------
    InstanceError
        If the format cannot hold the instance: a name, a row with two sides in an LP file, or a
        number that a reader would change.
    OutputError
        If the file cannot be written.
    """
    kind = file_format(path)
    if generic_names:
        # None stands for generic names
        instance = replace(instance, column_names=None, row_names=None)  # type: ignore[arg-type]
    lines = lp_lines(instance) if kind == "lp" else mps_lines(instance)
    try:
        check_numbers(instance)
        check_names(instance, kind)
        with _text_stream(path) as stream:
            stream.writelines(f"{line}\n" for line in lines)
    except InstanceError as error:
        raise InstanceError(f"cannot write {os.fspath(path)}: {error}") from error


@contextmanager
def _text_stream(path: str | os.PathLike[str]) -> Iterator[IO[str]]:
    with atomic_write(path) as target:
        if not is_compressed(path):
            with _utf8(target) as text:
                yield text
            return
        # Neither name nor time goes into the file, so that equal instances give equal bytes.
        with (
            gzip.GzipFile("", "wb", compresslevel=6, fileobj=target, mtime=0) as compressed,
            _utf8(compressed) as text,
        ):
            yield text


@contextmanager
def _utf8(binary: IO[bytes] | gzip.GzipFile) -> Iterator[IO[str]]:
    text = io.TextIOWrapper(binary, encoding="utf-8", newline="\n")
    try:
        yield text
    finally:
        text.detach()  # flushes, and leaves closing to the owner
