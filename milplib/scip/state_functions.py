"""State functions, which extract named and versioned feature blocks in addition to the state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from milplib.arguments import listed
from milplib.errors import ParameterError, StateError

if TYPE_CHECKING:
    import pyscipopt

__all__ = [
    "BlockSchema",
    "RecordedBlock",
    "StateFunction",
    "check_state_functions",
    "extract_blocks",
]


@runtime_checkable
class StateFunction(Protocol):
    """Anything that extracts a block of named features from a model at a branching node.

    The same state function extracts a block for samples and for a running policy, so a new block
    needs no other code.

    Examples
    --------
    >>> import numpy as np
    >>> class OpenNodes:
    ...     name = "open_nodes"
    ...     version = 1
    ...     columns = ("leaves", "children", "siblings")
    ...
    ...     def extract(self, model):
    ...         return np.array([model.getNLeaves(), model.getNChildren(), model.getNSiblings()])
    >>> isinstance(OpenNodes(), StateFunction)
    True
    """

    @property
    def name(self) -> str:
        """Name of the block: letters, digits and underscores."""
        ...

    @property
    def version(self) -> int:
        """Version of the block, increased when a column changes its meaning."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        ...

    def extract(self, model: pyscipopt.Model) -> npt.ArrayLike:
        """Extract the block at the current node, without changing the solve.

        Returns
        -------
        array_like
            Finite numbers. Shape (number of columns,) for features of the node or the tree, which
            become a single line. Shape (lines, number of columns) for features of candidates (in
            the order of `milplib.scip.branching_candidates`), LP columns or rows.
        """
        ...


@dataclass(frozen=True)
class BlockSchema:
    """Name, version and columns of the block of a state function."""

    name: str
    version: int
    columns: tuple[str, ...]

    @classmethod
    def of(cls, function: StateFunction) -> BlockSchema:
        """Return the schema of a state function's block."""
        return cls(function.name, function.version, tuple(function.columns))

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> BlockSchema:
        """Read a schema from a JSON object.

        Raises
        ------
        KeyError, TypeError, ValueError
            If the object is not a schema.
        """
        return cls(
            str(found["name"]), int(found["version"]), tuple(str(name) for name in found["columns"])
        )


@dataclass(frozen=True)
class RecordedBlock:
    """State function of a recorded block whose code is not needed, as in training.

    Parameters
    ----------
    schema
        Schema of the block.
    """

    schema: BlockSchema

    @property
    def name(self) -> str:
        """Name of the block."""
        return self.schema.name

    @property
    def version(self) -> int:
        """Version of the block."""
        return self.schema.version

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the block."""
        return self.schema.columns

    def extract(self, model: pyscipopt.Model) -> npt.ArrayLike:
        """Raise, because only samples hold this block."""
        raise StateError(f"the block '{self.name}' was recorded, and its code is not here")


def check_state_functions(functions: Iterable[StateFunction]) -> tuple[StateFunction, ...]:
    """Check names, versions and columns of state functions before anything runs.

    Raises
    ------
    ParameterError
        If an object is not a state function, or two have the same name.

    Examples
    --------
    >>> from milplib.scip import load_state_functions
    >>> len(check_state_functions(load_state_functions(["pseudocost", "tree"])))
    2
    """
    functions = tuple(listed(functions, "state functions"))
    names: set[str] = set()
    for function in functions:
        if isinstance(function, type) or not isinstance(function, StateFunction):
            raise ParameterError(
                f"{function!r} is not a state function: it needs name, version, columns and "
                "extract(model) (milplib.scip.StateFunction)"
            )
        if not (isinstance(function.name, str) and function.name.isidentifier()):
            raise ParameterError(
                f"the state function name {function.name!r} must be letters, digits and underscores"
            )
        columns: object = function.columns
        named = isinstance(columns, tuple) and all(isinstance(name, str) for name in columns)
        if type(function.version) is not int or not columns or not named:
            raise ParameterError(
                f"the state function '{function.name}' needs an integer version and a tuple of "
                "column names"
            )
        if function.name in names:
            raise ParameterError(f"two state functions have the name '{function.name}'")
        names.add(function.name)
    return functions


def extract_blocks(
    model: pyscipopt.Model,
    functions: Iterable[StateFunction],
    *,
    dtype: type[np.floating[Any]] = np.float32,
) -> dict[str, npt.NDArray[np.floating[Any]]]:
    """Extract the blocks of several state functions at the current node.

    Returns
    -------
    dict of str to array
        Blocks by name. Shapes (lines, number of the block's columns).

    Raises
    ------
    StateError
        If a state function fails, or a block's shape does not fit its columns, or a number is not
        finite.
    """
    blocks: dict[str, npt.NDArray[np.floating[Any]]] = {}
    for function in functions:
        try:
            with np.errstate(over="ignore"):  # checked below
                block = np.atleast_2d(np.array(function.extract(model), dtype=np.float64))
                block = block.astype(dtype, copy=False)
        except Exception as error:
            raise StateError(
                f"the state function '{function.name}' failed: {type(error).__name__}: {error}"
            ) from error
        if block.ndim != 2 or block.shape[1] != len(function.columns):
            raise StateError(
                f"the state function '{function.name}' gave an array of shape {block.shape}; its "
                f"{len(function.columns)} columns ask for ({len(function.columns)},) or "
                f"(anything, {len(function.columns)})"
            )
        if not np.isfinite(block).all():
            raise StateError(
                f"the state function '{function.name}' gave a number that is not finite in "
                f"{np.dtype(dtype).name}"
            )
        blocks[function.name] = block
    return blocks
