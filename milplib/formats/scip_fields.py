"""Data of an instance from a PySCIPOpt model."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyscipopt
import scipy.sparse as sp

from milplib.errors import InstanceError

__all__ = ["column_variables", "is_scip_model", "scip_fields"]

_FOREIGN = {
    "bounddisjunction": "makes a variable semi-continuous",
    "SOS1": "is a special ordered set",
    "SOS2": "is a special ordered set",
    "indicator": "is an indicator constraint",
    "nonlinear": "is nonlinear",
}
# Names that SCIP's readers give to the constraint for a quadratic objective.
_QUADRATIC_OBJECTIVE = ("quadobj", "qmatrix")


def is_scip_model(value: object) -> bool:
    """Whether a value is a model of PySCIPOpt."""
    return isinstance(value, pyscipopt.Model)


def column_variables(model: pyscipopt.Model) -> list[pyscipopt.Variable]:
    """List the original variables of a model in the order of their creation.

    This is the column order of the instance. `Model.getVars` lists binary variables first, then
    integer and continuous ones.

    Examples
    --------
    >>> import pyscipopt
    >>> model = pyscipopt.Model()
    >>> for name, kind in (("x", "C"), ("y", "B")):
    ...     _ = model.addVar(name, vtype=kind)
    >>> model.getVars(), column_variables(model)
    ([y, x], [x, y])
    """
    return sorted(model.getVars(), key=lambda variable: variable.getIndex())


def scip_fields(
    model: pyscipopt.Model, *, name: str | None = None, keep_names: bool = True
) -> dict[str, Any]:
    """Return the arguments of `milplib.Instance` for the original problem of a model.

    Parameters
    ----------
    model
        Model with linear constraints only.
    name
        Name of the instance. Default: the name of the model.
    keep_names
        Whether to keep the names of variables and constraints, which must then be unique. Without
        them, columns and rows get names by position.

    Raises
    ------
    InstanceError
        See `milplib.Instance.from_scip`.
    """
    if not isinstance(model, pyscipopt.Model):
        raise InstanceError(
            f"the model is of the type {type(model).__name__}; give a pyscipopt.Model"
        )
    variables = column_variables(model)
    constraints = model.getConss(transformed=False)
    for constraint in constraints:
        _check_linear(constraint)
    position = {variable.getIndex(): column for column, variable in enumerate(variables)}
    # Both calls return None for an unknown type of constraint, but know every linear one.
    entries = [model.getConsVars(constraint) or [] for constraint in constraints]
    values = [model.getConsVals(constraint) or [] for constraint in constraints]
    starts = np.zeros(len(constraints) + 1, dtype=np.int64)
    np.cumsum([len(entry) for entry in entries], out=starts[1:])
    indices = [position[variable.getIndex()] for entry in entries for variable in entry]
    data = [number for row in values for number in row]
    infinity = model.infinity()

    def numbers(values: list[float]) -> npt.NDArray[np.float64]:
        array = np.array(values, dtype=np.float64)
        huge = np.abs(array) >= infinity
        array[huge] = np.copysign(np.inf, array[huge])
        return array

    return dict(
        objective=np.array([variable.getObj() for variable in variables], dtype=np.float64),
        A=sp.csr_array(
            (np.array(data, dtype=np.float64), np.array(indices, dtype=np.int64), starts),
            shape=(len(constraints), len(variables)),
        ),
        row_lower=numbers([model.getLhs(constraint) for constraint in constraints]),
        row_upper=numbers([model.getRhs(constraint) for constraint in constraints]),
        lower=numbers([variable.getLbOriginal() for variable in variables]),
        upper=numbers([variable.getUbOriginal() for variable in variables]),
        integrality=np.array([v.vtype() != "CONTINUOUS" for v in variables], dtype=np.uint8),
        column_names=tuple(
            variable.name if keep_names else f"x{number}"
            for number, variable in enumerate(variables, 1)
        ),
        row_names=tuple(
            (keep_names and constraint.name) or f"C{number}"
            for number, constraint in enumerate(constraints, 1)
        ),
        sense="maximize" if model.getObjectiveSense() == "maximize" else "minimize",
        offset=model.getObjoffset(),
        name=model.getProbName() if name is None else name,
    )


def _check_linear(constraint: pyscipopt.Constraint) -> None:
    handler = constraint.getConshdlrName()
    if handler == "linear":
        return
    if handler == "nonlinear" and constraint.name in _QUADRATIC_OBJECTIVE:
        problem = "the objective is quadratic"
    else:
        reason = _FOREIGN.get(handler, f"is of the kind {handler}")
        problem = f"the constraint '{constraint.name}' {reason}"
    raise InstanceError(
        f"{problem}; an instance is a mixed-integer linear program: reformulate it linearly"
    )
