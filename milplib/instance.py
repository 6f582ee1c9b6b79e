"""The MILP instance, a mixed-integer linear program as read-only arrays."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from milplib.arguments import checked
from milplib.formats.scip_fields import scip_fields
from milplib.formats.to_scip import to_scip
from milplib.formats.writer import write
from milplib.instance_arrays import InstanceArrays

if TYPE_CHECKING:
    import pyscipopt

__all__ = ["Instance"]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Instance(InstanceArrays):
    r"""A mixed-integer linear program as read-only arrays.

    .. math:: \min \text{ or } \max\; c^T x + c_0 \quad
        \text{with } r^l \le A x \le r^u,\; l \le x \le u,\; x_j \in \mathbb{Z} \text{ for } j \in I

    Parameters
    ----------
    objective
        Objective coefficients c. Shape (n,), float64, finite.
    A
        Constraint matrix, any scipy sparse matrix or array. Stored as CSR with sorted columns,
        without duplicates and without explicit zeros. Shape (m, n), float64, finite.
    row_lower, row_upper
        Row sides, ``-inf`` and ``inf`` for missing sides. Shape (m,), float64.
    lower, upper
        Column bounds, ``-inf`` and ``inf`` for missing bounds. Shape (n,), float64.
    integrality
        1 for integer columns, 0 for continuous columns. A binary column is an integer column with
        bounds 0 and 1. Shape (n,), uint8.
    column_names, row_names
        Names, unique among columns and among rows. ``None`` means ``x1 … xn`` and ``C1 … Cm``.
    sense
        Objective sense, ``"minimize"`` or ``"maximize"``.
    offset
        Constant of the objective.
    name
        Name for reports, not part of the content hash.

    Raises
    ------
    InstanceError
        If shapes disagree, a coefficient is not finite, a lower bound or side is ``inf``, an upper
        bound or side is ``-inf``, or names repeat.

    Examples
    --------
    >>> import numpy as np, scipy.sparse as sp
    >>> knapsack = Instance(
    ...     objective=[5.0, 4.0], A=sp.csr_array([[2.0, 3.0]]), row_lower=[-np.inf],
    ...     row_upper=[4.0], lower=[0, 0], upper=[1, 1], integrality=[1, 1], sense="maximize")
    >>> knapsack.n_rows, knapsack.n_columns, knapsack.n_nonzeros
    (1, 2, 2)
    """

    def __reduce__(self) -> tuple[object, ...]:
        # Rebuild the copy: a plain pickle would make the arrays writeable and keep a cached hash
        # that could then be wrong.
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return _rebuilt, (values,)

    @classmethod
    @checked
    def from_scip(cls, model: pyscipopt.Model, *, name: str | None = None) -> Instance:
        """Convert the original problem of a PySCIPOpt model to an instance.

        Parameters
        ----------
        model
            Model with linear constraints only.
        name
            Name of the instance. Default: the name of the model.

        Returns
        -------
        Instance
            Instance with columns in the order in which the variables were created, rows in the
            order of the constraints, and the model's objective sense. Bounds and sides that SCIP
            treats as infinite (1e20 or more) become ``inf``. Rows without a name get ``C`` and
            their position, from 1. Coefficients of a variable that occurs several times in a row
            are summed.

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
        >>> Instance.from_scip(model).A.toarray()
        array([[2., 1.]])
        """
        return cls(**scip_fields(model, name=name))

    def _facts(self) -> dict[str, object]:
        integers = int(self.integrality.sum())
        binaries = int(
            (self.integrality.astype(bool) & (self.lower == 0) & (self.upper == 1)).sum()
        )
        return {
            "name": self.name,
            "rows": self.n_rows,
            "columns": self.n_columns,
            "nonzeros": self.n_nonzeros,
            "binary": binaries,
            "integer": integers - binaries,
            "continuous": self.n_columns - integers,
            "sense": self.sense,
        }

    @checked
    def write(self, path: str | os.PathLike[str], *, generic_names: bool = False) -> None:
        """Write the instance as an LP or MPS file that `milplib.read` reads back unchanged.

        Parameters
        ----------
        path
            Path that ends in ``.lp``, ``.mps``, ``.lp.gz`` or ``.mps.gz``. An existing file is
            replaced in one step. Equal instances give equal bytes.
        generic_names
            Whether to name the columns x1, x2, … and the rows C1, C2, … in the file.

        Raises
        ------
        InstanceError
            If the format cannot hold a name or a row with two sides, or if a reader would change
            a number.
        OutputError
            If the file cannot be written.

        Examples
        --------
        >>> import pathlib, tempfile, numpy as np, milplib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "tiny.lp"
        >>> instance = Instance(
        ...     objective=[5.0, 4.0], A=[[2.0, 3.0]], row_lower=[-np.inf], row_upper=[4.0],
        ...     lower=[0, 0], upper=[1, 1], integrality=[1, 1], sense="maximize")
        >>> instance.write(path)
        >>> path.read_text().splitlines()[:2]
        ['maximize', 'OBJ: +5 x1 +4 x2']
        >>> milplib.read(path).content_hash == instance.content_hash
        True
        """
        write(self, path, generic_names=generic_names)

    def to_scip(self) -> pyscipopt.Model:
        """Build a PySCIPOpt model of the instance, see `milplib.formats.to_scip.to_scip`.

        Raises
        ------
        InstanceError
            If SCIP would treat a coefficient as infinite (1e20 or more).

        Examples
        --------
        >>> import numpy as np
        >>> instance = Instance(
        ...     objective=[5.0, 4.0], A=[[2.0, 3.0]], row_lower=[-np.inf], row_upper=[4.0],
        ...     lower=[0, 0], upper=[1, 1], integrality=[1, 1], sense="maximize")
        >>> model = instance.to_scip()
        >>> model.hideOutput()
        >>> model.optimize()
        >>> model.getObjVal()
        5.0
        """
        return to_scip(self)


def _rebuilt(values: dict[str, Any]) -> Instance:
    return Instance(**values)
