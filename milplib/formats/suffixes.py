"""File name suffixes of instance files, and their formats."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from milplib.errors import InstanceError

__all__ = ["SUFFIXES", "FileFormat", "file_format", "file_stem", "is_compressed"]

FileFormat = Literal["lp", "mps"]

_FORMATS: dict[str, FileFormat] = {".lp": "lp", ".mps": "mps", ".lp.gz": "lp", ".mps.gz": "mps"}

SUFFIXES: tuple[str, ...] = tuple(_FORMATS)
"""Suffixes of instance files, in lower case. Case does not matter in file names."""


def _suffix(path: str | os.PathLike[str]) -> str:
    name = Path(path).name.lower()
    suffixes = [suffix for suffix in SUFFIXES if name.endswith(suffix)]
    if not suffixes:
        raise InstanceError(
            f"{os.fspath(path)} is no instance file by its name: "
            f"it must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
        )
    return suffixes[0]


def file_format(path: str | os.PathLike[str]) -> FileFormat:
    """Return the format of an instance file by its name.

    Raises
    ------
    InstanceError
        If the name ends in none of `SUFFIXES`.

    Examples
    --------
    >>> file_format("plant.MPS.gz")
    'mps'
    """
    return _FORMATS[_suffix(path)]


def is_compressed(path: str | os.PathLike[str]) -> bool:
    """Return whether the name of a file says that it is compressed by gzip."""
    return Path(path).name.lower().endswith(".gz")


def file_stem(path: str | os.PathLike[str]) -> str:
    """Return the name of an instance file without folder and suffix.

    Examples
    --------
    >>> file_stem("models/plant.v2.mps.gz")
    'plant.v2'
    """
    return Path(path).name[: -len(_suffix(path))]
