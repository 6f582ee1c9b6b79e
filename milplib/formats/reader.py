"""Reading instance files."""

from __future__ import annotations

import os
from pathlib import Path

from milplib.arguments import checked
from milplib.errors import InstanceError
from milplib.files import printable_path
from milplib.formats.damage import MissingEndError
from milplib.formats.lp_reader import read_lp
from milplib.formats.mps_reader import read_mps
from milplib.formats.suffixes import file_format, file_stem
from milplib.formats.text import DEFAULT_MAX_BYTES, file_text
from milplib.instance import Instance

__all__ = ["read"]


@checked
def read(
    path: str | os.PathLike[str],
    *,
    max_bytes: int | None = DEFAULT_MAX_BYTES,
    allow_missing_end: bool = False,
) -> Instance:
    """Read an instance from an LP or MPS file, plain or compressed by gzip.

    Every word of the file is either read or refused with its line. Columns and rows keep the
    file's order and names, and the objective keeps its sense. Rows without a name get ``C`` and
    their position, from 1. Lazy constraints and user cuts become ordinary rows: lazy constraints
    must hold, and user cuts remove no solution. Further free rows (``N``) of an MPS file are
    dropped, as solvers do. Bounds and sides of 1e20 or more are infinite.

    Parameters
    ----------
    path
        Path that ends in one of `milplib.formats.SUFFIXES`.
    max_bytes
        Largest size of the text, uncompressed. Default: 512 MiB. ``None`` means no limit.
    allow_missing_end
        Whether to read an LP file without ``End`` that may be cut off. Without this option, such a
        file is read only if lists of integer columns at its end name all columns.

    Returns
    -------
    Instance
        Instance with the name of the file, without folder and suffix.

    Raises
    ------
    InstanceError
        If the file is missing, not readable, empty, binary, cut off, too large or no LP or MPS
        file; if it holds anything but linear rows, a linear objective, bounds and integrality
        (semi-continuous variables, special ordered sets, indicators, nonlinear parts); or if
        programs differ in what it means.

    Notes
    -----
    The formats are those of CPLEX and SCIP. Programs differ in what these mean, so they are
    refused:

    - in MPS files a second coefficient of a column in a row, a second right-hand side, range or
      set of them, and a negative upper bound without a lower bound;
    - in both formats a second bound that differs from the first, and bounds outside [0, 1] of a
      binary column;
    - in LP files a column with the name of a section, terms without a sign between them, and a row
      without a name on the line in which another one ends.

    These are read as most programs do:

    - An integer column between markers of an MPS file has the bounds 0 and 1. A bound of any type
      takes these defaults away, so that ``LO x 0`` makes it unbounded above.
    - The right-hand side of an MPS file's objective is its constant with the opposite sign.
    - An MPS file in fixed format may have blanks in names.
    - Exponents may begin with ``D``, as Fortran writes them.
    - Repeated terms of a row of an LP file are summed, as are constants of its objective.
    - A row of an LP file may have two sides, ``-1 <= x + y <= 5``. Other relations are ``<``,
      ``=<``, ``>``, ``=>`` and ``=``.
    - A column that occurs only in the bounds or lists of an LP file is a column.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "tiny.lp"
    >>> _ = path.write_text("maximize OBJ: 2 x + y + 5 subject to C1: x + y <= 3 End")
    >>> instance = read(path)
    >>> instance.sense, instance.offset, instance.objective.tolist(), instance.column_names
    ('maximize', 5.0, [2.0, 1.0], ('x', 'y'))
    """
    path = Path(path)
    extension = file_format(path)
    _check_name(path)
    text = file_text(path, max_bytes=max_bytes)
    name = printable_path(file_stem(path))  # SCIP takes names in UTF-8
    try:
        if extension == "mps":
            return read_mps(text, name=name)
        return read_lp(text, name=name, allow_missing_end=allow_missing_end)
    except MissingEndError as error:
        raise MissingEndError(f"cannot read {path}: {error}", plausible=error.plausible) from error
    except InstanceError as error:
        raise InstanceError(f"cannot read {path}: {error}") from error


def _check_name(path: Path) -> None:
    """Refuse a name that neither SCIP nor a table of results can hold."""
    try:
        path.name.encode()
    except UnicodeEncodeError as error:
        raise InstanceError(
            f"cannot read {path}: its name is not encoded in UTF-8; rename it"
        ) from error
