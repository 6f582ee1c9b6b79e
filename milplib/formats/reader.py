"""Reading instance files."""

from __future__ import annotations

import os
from pathlib import Path

from milplib.errors import InstanceError
from milplib.formats.damage import MissingEndError
from milplib.formats.lp_reader import read_lp
from milplib.formats.mps_reader import read_mps
from milplib.formats.suffixes import file_format, file_stem
from milplib.formats.text import DEFAULT_MAX_BYTES, file_text
from milplib.instance import Instance

__all__ = ["read"]


def read(
    path: str | os.PathLike[str],
    *,
    max_bytes: int | None = DEFAULT_MAX_BYTES,
    allow_missing_end: bool = False,
) -> Instance:
    path = Path(path)
    extension = file_format(path)
    text = file_text(path, max_bytes=max_bytes)
    try:
        if extension == "mps":
            return read_mps(text, name=file_stem(path))
        return read_lp(text, name=file_stem(path), allow_missing_end=allow_missing_end)
    except MissingEndError as error:
        raise MissingEndError(f"cannot read {path}: {error}") from error
    except InstanceError as error:
        raise InstanceError(f"cannot read {path}: {error}") from error
