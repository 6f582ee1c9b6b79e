"""SCIP's counts of branchings and cut-offs, which PySCIPOpt does not offer."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyscipopt
from pyscipopt import SCIP_BRANCHDIR

from milplib.errors import StateError

__all__ = ["cutoffs_and_branchings"]


def cutoffs_and_branchings(
    variables: Iterable[pyscipopt.Variable],
) -> npt.NDArray[np.float64]:
    """Count the branchings on variables in this solve, and the cut-offs of their children.

    Parameters
    ----------
    variables
        k transformed variables.

    Returns
    -------
    ndarray
        Cut-offs upwards and downwards, branchings upwards and downwards. SCIP weights the cut-offs
        of conflicts, so they need not be whole numbers. Shape (k, 4), float64.

    Raises
    ------
    StateError
        If the SCIP that PySCIPOpt has loaded lacks these functions.

    Examples
    --------
    >>> model = pyscipopt.Model()
    >>> _ = model.addVar("x", vtype="B", obj=1.0)
    >>> model.hideOutput()
    >>> model.optimize()
    >>> cutoffs_and_branchings(model.getVars(transformed=True)).tolist()
    []
    """
    up, down = int(SCIP_BRANCHDIR.UPWARDS), int(SCIP_BRANCHDIR.DOWNWARDS)
    cutoffs, branchings = _functions()
    lines = [
        (cutoffs(at, up), cutoffs(at, down), branchings(at, up), branchings(at, down))
        for at in (variable.ptr() for variable in variables)
    ]
    return np.array(lines, dtype=np.float64).reshape(len(lines), 4)


@cache
def _functions() -> tuple[Any, Any]:
    # Symbols of libscip resolve through the extension module that is linked with it.
    library = ctypes.CDLL(pyscipopt.scip.__file__)
    try:
        cutoffs, branchings = library.SCIPvarGetCutoffSum, library.SCIPvarGetNBranchings
    except AttributeError as error:
        raise StateError(
            f"the SCIP of PySCIPOpt {pyscipopt.__version__} has no counts of cut-offs: {error}; "
            "do without the block 'khalil'"
        ) from None
    cutoffs.argtypes = branchings.argtypes = (ctypes.c_void_p, ctypes.c_int)
    cutoffs.restype, branchings.restype = ctypes.c_double, ctypes.c_longlong
    return cutoffs, branchings
