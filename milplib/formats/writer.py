"""Writing instances to LP and MPS files."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import IO

from milplib.errors import InstanceError
from milplib.files import atomic_write
from milplib.formats.lp_writer import lp_lines
from milplib.formats.mps_writer import mps_lines
from milplib.formats.representable import check_names, check_numbers
from milplib.formats.suffixes import file_format, is_compressed
from milplib.instance_arrays import InstanceArrays

__all__ = ["file_content", "write"]


def write(
    instance: InstanceArrays, path: str | os.PathLike[str], *, generic_names: bool = False
) -> None:
    """Write an instance as an LP or MPS file, plain or compressed by gzip.

    `milplib.read` reads back the same instance, with equal arrays, order and names. Equal instances
    give equal bytes.

    Parameters
    ----------
    instance
        The instance.
    path
        Path that ends in one of `milplib.formats.SUFFIXES`. An existing file is replaced in one
        step.
    generic_names
        Whether to name the columns x1, x2, … and the rows C1, C2, … in the file.

    Raises
    ------
    InstanceError
        If the format cannot hold a name or a row with two sides, or if a reader would change a
        number.
    OutputError
        If the file cannot be written.
    """
    with _naming(path):
        lines = _checked_lines(instance, path, generic_names=generic_names)
        with atomic_write(path) as target:
            _write_lines(lines, target, compressed=is_compressed(path))


def file_content(instance: InstanceArrays, name: str) -> bytes:
    """Return the bytes that `write` would write to a file of the given name.

    Parameters
    ----------
    instance
        The instance.
    name
        File name that ends in one of `milplib.formats.SUFFIXES`.

    Raises
    ------
    InstanceError
        If the format cannot hold the instance.

    Examples
    --------
    >>> from milplib.generators import SetCover
    >>> instance = SetCover(n_rows=5, n_columns=10, density=0.5).generate(seed=0)
    >>> file_content(instance, "a.lp").splitlines()[0]
    b'minimize'
    """
    target = io.BytesIO()
    with _naming(name):
        lines = _checked_lines(instance, name, generic_names=False)
        _write_lines(lines, target, compressed=is_compressed(name))
    return target.getvalue()


@contextmanager
def _naming(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except InstanceError as error:
        raise InstanceError(f"cannot write {os.fspath(path)}: {error}") from error


def _checked_lines(
    instance: InstanceArrays, path: str | os.PathLike[str], *, generic_names: bool
) -> Iterator[str]:
    extension = file_format(path)
    if generic_names:
        # None means generic names
        instance = replace(instance, column_names=None, row_names=None)  # type: ignore[arg-type]
    check_numbers(instance)
    check_names(instance, extension)
    return lp_lines(instance) if extension == "lp" else mps_lines(instance)


def _write_lines(lines: Iterator[str], target: IO[bytes], *, compressed: bool) -> None:
    with ExitStack() as stack:
        binary: IO[bytes] | gzip.GzipFile = target
        if compressed:
            # Write neither name nor time, so that equal instances give equal bytes.
            binary = stack.enter_context(
                gzip.GzipFile("", "wb", compresslevel=6, fileobj=target, mtime=0)
            )
        stack.enter_context(_utf8(binary)).writelines(f"{line}\n" for line in lines)


@contextmanager
def _utf8(binary: IO[bytes] | gzip.GzipFile) -> Iterator[IO[str]]:
    text = io.TextIOWrapper(binary, encoding="utf-8", newline="\n")
    try:
        yield text
    finally:
        text.detach()  # flushes, and leaves the stream open for its owner
