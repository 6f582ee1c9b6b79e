"""The state functions that come with milplib: a module each, found by name.

A new module of this package that lists a class with ``name``, ``version``, ``columns`` and
``extract`` in its ``__all__`` joins `BLOCKS`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from typing import Any

from milplib.errors import PolicyError, UnknownNameError
from milplib.named import named_object
from milplib.scip.state_functions import BlockSchema, StateFunction, check_state_functions

__all__ = ["BLOCKS", "load_state_functions", "state_functions_of"]


def _own_blocks() -> dict[str, type[StateFunction]]:
    """Find the state function of each module of this package."""
    found: dict[str, type[StateFunction]] = {}
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        for name in module.__all__:
            block = getattr(module, name)
            if hasattr(block, "extract"):
                found[block.name] = block
    return found


BLOCKS: dict[str, type[StateFunction]] = _own_blocks()
"""The state functions that come with milplib, by name: one for each module of this package."""


def load_state_functions(names: Iterable[str | StateFunction]) -> tuple[StateFunction, ...]:
    """Make state functions from names, and check them.

    Parameters
    ----------
    names
        Names in `BLOCKS`, ``"package.module:Name"`` for a class or an object of a user's own, or
        state functions themselves.

    Raises
    ------
    UnknownNameError
        If a name is in neither form known.
    ParameterError
        If a module or its attribute cannot be imported, or is not a state function.

    Examples
    --------
    >>> [function.name for function in load_state_functions(["pseudocost", "tree"])]
    ['pseudocost', 'tree']
    """
    functions: list[Any] = []  # checked below
    for name in names:
        if not isinstance(name, str):
            functions.append(name)
        elif ":" in name:
            functions.append(named_object(name, kind="block", instantiate=True))
        elif name in BLOCKS:
            functions.append(BLOCKS[name]())
        else:
            raise UnknownNameError(
                "block", name, BLOCKS, hint="(one of your own: package.module:Name)"
            )
    return check_state_functions(functions)


def state_functions_of(
    blocks: Iterable[BlockSchema], *, where: str, own: Iterable[StateFunction] = ()
) -> tuple[StateFunction, ...]:
    """Find the state functions that extract recorded blocks, in the same versions.

    Parameters
    ----------
    blocks
        What is asked for.
    where
        Who asks, for the message.
    own
        State functions of a user's own, beside those of `BLOCKS`.

    Raises
    ------
    PolicyError
        If there is none of that name, or it has another version or other columns.

    Examples
    --------
    >>> [function.name for function in state_functions_of(
    ...     [BlockSchema("pseudocost", 1, ("score", "down", "up"))], where="the example")]
    ['pseudocost']
    """
    known: dict[str, StateFunction] = {name: kind() for name, kind in BLOCKS.items()}
    known |= {function.name: function for function in own}
    functions = []
    for block in blocks:
        if block.name not in known:
            raise PolicyError(
                f"{where} reads the block '{block.name}', which this milplib does not have "
                f"(it has {', '.join(sorted(known))}): pass its state function along"
            )
        ours = BlockSchema.of(known[block.name])
        if ours != block:
            raise PolicyError(
                f"{where} reads version {block.version} of the block '{block.name}' with the "
                f"columns {', '.join(block.columns)}; this milplib has version {ours.version} with "
                f"{', '.join(ours.columns)}: train it again"
            )
        functions.append(known[block.name])
    return tuple(functions)
