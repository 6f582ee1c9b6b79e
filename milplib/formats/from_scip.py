"""From a PySCIPOpt model to an instance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyscipopt
import scipy.sparse as sp

from milplib.errors import InstanceError
from milplib.instance import Instance

__all__ = ["column_variables", "from_scip"]

_FOREIGN = {
    "bounddisjunction": "makes a variable semi-continuous",
    "SOS1": "is a special ordered set",
    "SOS2": "is a special ordered set",
    "indicator": "is an indicator constraint",
    "nonlinear": "is nonlinear",
}
# What SCIP's readers call the constraint that holds a quadratic objective.
_QUADRATIC_OBJECTIVE = ("quadobj", "qmatrix")


def column_variables(model: pyscipopt.Model) -> list[pyscipopt.Variable]:
    """List the original variables of a model in the order of their creation.

    That is the order of the columns of the instance that was read or built. `Model.getVars`
    has another one: binary variables first, then integer and continuous ones.

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


def from_scip(model: pyscipopt.Model, *, name: str | None = None) -> Instance:
    """Take the instance out of a PySCIPOpt model: its original problem.

    Parameters
    ----------
    model
        A model whose constraints are all linear ones.
    name
        The name of the instance; by default that of the model.

    Returns
    -------
    Instance
        Columns in the order in which the variables were created, rows in that of the
        constraints, objective in the model's sense. Bounds and sides that SCIP takes for
        infinite (1e20) are ``inf``; rows without a name get ``C`` and their position, from 1;
        coefficients of a variable that occurs several times in a row are summed.

    Raises
    ------
    InstanceError
        If a constraint is not linear, a number is not finite, or names repeat.

    Examples
    --------
    >>> import pyscipopt
    >>> model = pyscipopt.Model("tiny")
    >>> x, y = model.addVar("x", vtype="I"), model.addVar("y", ub=4)
    >>> _ = model.addCons(2 * x + y <= 7)
    >>> model.setObjective(x + y, "maximize")
    >>> from_scip(model).A.toarray()
    array([[2., 1.]])
    """
    variables = column_variables(model)
    constraints = model.getConss(transformed=False)
    for constraint in constraints:
        _check_linear(constraint)
    position = {variable.getIndex(): column for column, variable in enumerate(variables)}
    # Both calls know every linear constraint; None is their answer to others.
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

    return Instance(
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
        column_names=tuple(variable.name for variable in variables),
        row_names=tuple(
            constraint.name or f"C{number}" for number, constraint in enumerate(constraints, 1)
        ),
        sense="maximize" if model.getObjectiveSense() == "maximize" else "minimize",
        offset=model.getObjoffset(),
        name=model.getProbName() if name is None else name,
    )


def _check_linear(constraint: pyscipopt.Constraint) -> None:
    kind = constraint.getConshdlrName()
    if kind == "linear":
        return
    if kind == "nonlinear" and constraint.name in _QUADRATIC_OBJECTIVE:
        what = "the objective is quadratic"
    else:
        what = f"the constraint '{constraint.name}' {_FOREIGN.get(kind, f'is of the kind {kind}')}"
    raise InstanceError(
        f"{what}; an instance is a mixed-integer linear program: reformulate it linearly"
    )
