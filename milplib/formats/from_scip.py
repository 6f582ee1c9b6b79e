"""Conversion of a PySCIPOpt model to an instance."""

from __future__ import annotations

import pyscipopt

from milplib.formats.scip_fields import column_variables
from milplib.instance import Instance

__all__ = ["column_variables", "from_scip"]


def from_scip(model: pyscipopt.Model, *, name: str | None = None) -> Instance:
    """Convert a model; see `milplib.Instance.from_scip`.

    Examples
    --------
    >>> import pyscipopt
    >>> model = pyscipopt.Model("tiny")
    >>> _ = model.addVar("x", vtype="I", obj=1)
    >>> from_scip(model).n_columns
    1
    """
    return Instance.from_scip(model, name=name)
