"""Reading instance files with SCIP's readers."""

from __future__ import annotations

import io
import locale
import os
import re
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pyscipopt

from milplib.errors import InstanceError
from milplib.formats.checks import check_file, check_open_list
from milplib.formats.from_scip import from_scip
from milplib.formats.suffixes import FileFormat, file_format, file_stem
from milplib.instance import Instance

__all__ = ["read"]

_MESSAGE = re.compile(r"^\[[^\]]*\] ERROR: (?!Error <)(.*\S)", re.MULTILINE)
_EXTRA_OBJECTIVE = re.compile(r'^Warning line \d+: row "(.*)" for objective function', re.M)
_IGNORED = re.compile(r'^Warning (line \d+): (.*) for row "(.*)" ignored', re.M)


def read(path: str | os.PathLike[str]) -> Instance:
    """Read an instance from an LP or MPS file, plain or compressed by gzip.

    SCIP's reader parses the file. Columns and rows keep the file's order and names, and the
    objective keeps its sense. Rows without a name get ``C`` and their position, from 1. Lazy
    constraints and user cuts become ordinary rows: lazy constraints must hold, and user cuts remove
    no solution. Further free rows (``N``) of an MPS file are dropped, as solvers do.

    Parameters
    ----------
    path
        Path that ends in one of `milplib.formats.SUFFIXES`.

    Returns
    -------
    Instance
        Instance with the name of the file, without folder and suffix.

    Raises
    ------
    InstanceError
        If the file is missing, not readable, empty, binary, cut off or rejected by SCIP, if it
        holds anything but linear rows, a linear objective, bounds and integrality
        (semi-continuous variables, special ordered sets, indicators, nonlinear parts), or if a
        number is not finite. An LP file without ``End`` counts as cut off, unless it ends in a
        complete list of integer variables.

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
    ending = check_file(path)
    model = _scip_model(path, extension, open_ended=ending is not None)
    try:
        if extension == "lp":
            _check_lp_rows(model)
        instance = from_scip(model, name=file_stem(path))
    except InstanceError as error:
        raise InstanceError(f"cannot read {path}: {error}") from error
    except UnicodeDecodeError as error:
        raise InstanceError(
            f"cannot read {path}: a name is not encoded in UTF-8 ({error.reason}); "
            "convert the file's encoding"
        ) from error
    if ending is not None:
        check_open_list(path, ending, instance)
    return instance


def _scip_model(path: Path, extension: FileFormat, *, open_ended: bool) -> pyscipopt.Model:
    """Read a file with SCIP, and turn SCIP's messages into one error."""
    model = pyscipopt.Model()
    # SCIP prints errors to the C library's stderr; after this call PySCIPOpt redirects them to
    # Python's. At this verbosity SCIP reports the entries that it ignores.
    model.redirectOutput()
    model.setParam("display/verblevel", 5)
    warnings, errors = io.StringIO(), io.StringIO()
    numeric_locale = locale.setlocale(locale.LC_NUMERIC)
    try:
        with redirect_stdout(warnings), redirect_stderr(errors):
            model.readProblem(os.fspath(path), extension=extension)
    except UnicodeEncodeError as error:
        raise InstanceError(
            f"cannot read {path}: its name is not in UTF-8, which SCIP requires; rename it"
        ) from error
    except Exception as error:  # PySCIPOpt raises bare Exceptions as well
        messages = _MESSAGE.findall(errors.getvalue())
        raise InstanceError(
            f"cannot read {path}: {'; '.join(messages) or error}"
            + _hint(messages, open_ended=open_ended)
        ) from error
    finally:
        # PySCIPOpt does not restore the locale when reading fails.
        locale.setlocale(locale.LC_NUMERIC, numeric_locale)
    _check_ignored(path, warnings.getvalue())
    return model


def _hint(messages: list[str], *, open_ended: bool) -> str:
    if open_ended:
        return " (the file has no 'End': it may be cut off)"
    if any("no constant values allowed for constraints" in message for message in messages):
        return " (SCIP's LP reader knows no ranged rows: write two rows, or an MPS file)"
    return ""


def _check_ignored(path: Path, warnings: str) -> None:
    """Raise an error for entries of undeclared rows, which SCIP's MPS reader ignores."""
    dropped = set(_EXTRA_OBJECTIVE.findall(warnings))
    for line, entry, row in _IGNORED.findall(warnings):
        if row not in dropped:
            raise InstanceError(
                f"cannot read {path}: {line}: {entry} names the row '{row}', which is not declared"
            )


def _check_lp_rows(model: pyscipopt.Model) -> None:
    """Raise an error for ``expression >= a <= b``, which SCIP's LP reader splits into two rows."""
    for position, row in enumerate(model.getConss(transformed=False), start=1):
        if not row.name and row.isLinear() and model.getConsNVars(row) == 0:
            raise InstanceError(
                f"row {position} has neither a name nor variables; if it is the second side of a "
                "row, write two rows, or an MPS file"
            )
