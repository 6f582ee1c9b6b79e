"""The MILP instance: a mixed-integer linear program as read-only arrays."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from milplib.formats.to_scip import to_scip
from milplib.formats.writer import write
from milplib.instance_arrays import InstanceArrays

if TYPE_CHECKING:
    import pyscipopt

__all__ = ["Instance"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Instance(InstanceArrays):
    r"""A mixed-integer linear program as read-only arrays.

    .. math:: \min \text{ or } \max\; c^T x + c_0 \quad
        \text{with } r^l \le A x \le r^u,\; l \le x \le u,\; x_j \in \mathbb{Z} \text{ for } j \in I

    Parameters
    ----------
    objective
        Coefficients c of the columns, in the sense of `sense`. Shape (n,), float64, finite.
    A
        Constraint matrix, any scipy sparse matrix or array; kept as CSR of float64 with sorted
        columns, without duplicates and without stored zeros. Shape (m, n), finite.
    row_lower, row_upper
        Sides of the rows, ``-inf`` and ``inf`` where a side is missing. Shape (m,), float64.
    lower, upper
        Bounds of the columns, ``-inf`` and ``inf`` where a bound is missing. Shape (n,), float64.
    integrality
        1 where a column is integer, 0 where it is continuous (a binary column is an integer one
        with bounds 0 and 1). Shape (n,), uint8.
    column_names, row_names
        Names, unique among the columns and among the rows; ``None`` stands for ``x1 … xn`` and
        ``C1 … Cm``.
    sense
        ``"minimize"`` or ``"maximize"``.
    offset
        The constant of the objective.
    name
        A name for reports; not part of the content hash.

    Raises
    ------
    InstanceError
        If shapes disagree, a number is not finite where it must be, a lower bound or side is
        ``inf`` or an upper one ``-inf``, or names repeat.

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
        # A copy is built anew: plain pickles lose the arrays' protection, and keep a hash that
        # would then be wrong.
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return _rebuilt, (values,)

    def write(self, path: str | os.PathLike[str], *, generic_names: bool = False) -> None:
        """Write the instance as an LP or MPS file, from which `milplib.read` gives it back.

        Parameters
        ----------
        path
            A name that ends in ``.lp``, ``.mps``, ``.lp.gz`` or ``.mps.gz``. An existing file is
            replaced in one step; equal instances give equal bytes.
        generic_names
            Whether columns and rows are called x1, x2, … and C1, C2, … in the file.

        Raises
        ------
        InstanceError
            If the format cannot hold the instance: a name, a row with two sides in an LP file,
            or a number that a reader would change.
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
            If a coefficient is so large that SCIP takes it for infinite (1e20).

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
