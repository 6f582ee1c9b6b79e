"""Loading, testing and status of the native code.

The environment variable ``MILPLIB_NATIVE`` controls its use: ``0`` switches the native code off,
and ``1`` requires it. If the variable is unset, the native code is used if it was built and passes
a test against the pure Python path. Each process reads the variable once.
"""

from __future__ import annotations

import importlib
import logging
import os
from dataclasses import astuple, dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyscipopt

from milplib.errors import NativeError, ParameterError
from milplib.scip.pure_extraction import extract_state_pure, pseudocosts_pure
from milplib.scip.state import BranchingState
from milplib.scip.versions import SUPPORTED

__all__ = ["NativeStatus", "forced_level", "native_at", "native_module", "native_status"]

_LOG = logging.getLogger("milplib")
_REINSTALL = (
    "install a C++17 compiler and then milplib again, from its source (in a checkout: "
    "pip install --no-deps --editable .)"
)


@dataclass(frozen=True)
class NativeStatus:
    """Status of the native code.

    Parameters
    ----------
    module
        Extension module, or None if the pure Python path is in use.
    reason
        Reason why the native code is or is not in use.
    mend
        Instructions to make it work; empty if nothing is broken.
    required
        Whether missing native code is an error.
    """

    module: Any
    reason: str
    mend: str = ""
    required: bool = False

    @property
    def extraction(self) -> str:
        """Path that extracts states, and the reason, in a few words."""
        path = "native" if self.module else "pure Python through PySCIPOpt"
        return f"{path}: {self.reason}"


_tested: NativeStatus | None = None


def native_status() -> NativeStatus:
    """Load the native code once per process, and return its status.

    Raises
    ------
    ParameterError
        If ``MILPLIB_NATIVE`` is set to anything but 0 or 1.

    Examples
    --------
    >>> native_status().reason != ""
    True
    """
    return _tested or _loaded()


def native_module() -> Any:
    """Return the extension module `milplib._native`, or None if the pure path is in use.

    Raises
    ------
    NativeError
        If ``MILPLIB_NATIVE=1`` requires the native code, but it does not work.

    Examples
    --------
    >>> native_module() is native_status().module
    True
    """
    status = native_status()
    if status.module is None and status.required:
        raise NativeError(
            f"MILPLIB_NATIVE=1, but {status.reason}: {status.mend}, or unset MILPLIB_NATIVE"
        )
    return status.module


def native_at(model: pyscipopt.Model) -> Any:
    """Return `native_module` at a node, after a test in the process's first call.

    The test extracts the state of this node on both paths. A test on a separate instance would
    nest a solve in the solve. SCIP's symmetry detection depends on memory addresses, so the tree
    could then differ from the one without native code.

    Raises
    ------
    NativeError
        If ``MILPLIB_NATIVE=1`` requires the native code, but it does not work.
    StateError
        If the current node has no LP solved to optimality.

    Examples
    --------
    >>> from milplib.scip.rule import GuardedRule
    >>> class Watch(GuardedRule):
    ...     def decide(self):
    ...         self.is_native = native_at(self.model) is not None
    ...         return pyscipopt.SCIP_RESULT.DIDNOTRUN
    """
    global _tested
    module = native_module()
    if module is not None and _tested is None:
        _tested = _compared(native_status(), model)
        return native_module()
    return module


def forced_level() -> str | None:
    """Return the instruction set in ``MILPLIB_NATIVE_LEVEL``; None means the widest.

    Raises
    ------
    ParameterError
        If the processor has no instruction set of that name.

    Examples
    --------
    >>> forced_level() is None or forced_level() in native_module().levels()
    True
    """
    level = os.environ.get("MILPLIB_NATIVE_LEVEL", "")
    module = native_module()
    if not level or module is None:
        return None
    if level not in module.levels():
        raise ParameterError(
            f"MILPLIB_NATIVE_LEVEL is '{level}'; this processor has {', '.join(module.levels())}"
        )
    return level


@cache
def _loaded() -> NativeStatus:
    wish = os.environ.get("MILPLIB_NATIVE", "")
    if wish not in ("", "0", "1"):
        raise ParameterError(
            f"MILPLIB_NATIVE is '{wish}'; it must be 0 (without native code), 1 (an error if it "
            "does not work) or unset"
        )
    if wish == "0":
        return NativeStatus(None, "MILPLIB_NATIVE=0 switches the native code off")
    required = wish == "1"
    try:
        module: Any = importlib.import_module("milplib._native")
        major = module.bind(pyscipopt.scip.__file__)
        level = module.levels()[0]
    except ModuleNotFoundError:
        return _unusable("the native code was not built", required)
    except Exception as error:  # a binary of another machine may raise anything
        reason = f"the native code does not load: {type(error).__name__}: {error}"
        return _unusable(reason, required)
    if major not in SUPPORTED:
        known = " or ".join(map(str, SUPPORTED))
        ranges = " or ".join(f"pyscipopt{entry.pyscipopt}" for entry in SUPPORTED.values())
        reason = f"the native code knows SCIP {known}, and this is SCIP {major}: install {ranges}"
        return _unusable(reason, required)
    module.set_constants(*astuple(SUPPORTED[major].native))
    return NativeStatus(module, f"{level} instructions", required=required)


def _unusable(reason: str, required: bool) -> NativeStatus:
    if not required:
        _LOG.warning(
            "%s; Python and torch alone give the same numbers, slowly. To mend it, %s",
            reason,
            _REINSTALL,
        )
    return NativeStatus(None, reason, _REINSTALL, required)


def _compared(status: NativeStatus, model: pyscipopt.Model) -> NativeStatus:
    """Test the native code: compare the current node's state on both paths."""
    expected = extract_state_pure(model, dtype=np.float64)
    pseudocosts = pseudocosts_pure(model)
    try:
        capsule = model.to_ptr(False)
        parts = [*status.module.extract(capsule, True), status.module.pseudocosts(capsule)]
    except status.module.ScipError as error:
        return _unusable(f"the native code failed its test: {error}", status.required)
    for (name, array), part in zip(_arrays(expected, pseudocosts), parts, strict=True):
        native = np.frombuffer(bytes([part]) if part in (True, False) else part, array.dtype)
        if native.size != array.size or not np.allclose(native, array.ravel(), 1e-12, 1e-12):
            reason = f"the native code failed its test: its {name} are not those of the pure path"
            return _unusable(reason, status.required)
    return replace(status, reason=f"{status.reason}, tested against the pure path")


def _arrays(
    state: BranchingState, pseudocosts: npt.NDArray[np.float64]
) -> list[tuple[str, npt.NDArray[Any]]]:
    """Return the arrays of a state in the order of the native code."""
    return [
        ("variable features", state.variable_features),
        ("row features", state.row_features),
        ("edges", state.edge_index),
        ("edge features", state.edge_features),
        ("candidates", state.candidates),
        ("incumbent", np.array([state.has_incumbent])),
        ("pseudocosts", pseudocosts),
    ]
