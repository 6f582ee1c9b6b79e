"""milplib's state functions, one module each.

A module of this package joins `BLOCKS` if its ``__all__`` lists a class with ``name``, ``version``,
``columns`` and ``extract``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from typing import Any

from milplib.arguments import listed
from milplib.errors import ParameterError, PolicyError, UnknownNameError
from milplib.named import load_object
from milplib.scip.state_functions import BlockSchema, StateFunction, check_state_functions

__all__ = ["BLOCKS", "load_state_functions", "state_functions_of"]


def _own_blocks() -> dict[str, type[StateFunction]]:
    """Find the state function of each module of this package."""
    blocks: dict[str, type[StateFunction]] = {}
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        for name in module.__all__:
            block = getattr(module, name)
            if hasattr(block, "extract"):
                blocks[block.name] = block
    return blocks


BLOCKS: dict[str, type[StateFunction]] = _own_blocks()
"""milplib's state functions by name."""


def load_state_functions(names: Iterable[str | StateFunction]) -> tuple[StateFunction, ...]:
    """Load state functions by name, and check them.

    Parameters
    ----------
    names
        Names in `BLOCKS`, names of user-defined classes or objects as ``"package.module:Name"``,
        state functions, or their classes.

    Raises
    ------
    UnknownNameError
        If a name is neither in `BLOCKS` nor of the form ``"package.module:Name"``.
    ParameterError
        If an object cannot be imported, or is not a state function.

    Examples
    --------
    >>> [function.name for function in load_state_functions(["pseudocost", "tree"])]
    ['pseudocost', 'tree']
    """
    functions: list[Any] = []  # checked below
    for name in listed(names, "blocks"):
        if isinstance(name, type) and isinstance(getattr(name, "name", None), str):
            functions.append(_made(name))
        elif not isinstance(name, str):
            functions.append(name)
        elif ":" in name:
            functions.append(load_object(name, role="block", instantiate=True))
        elif name in BLOCKS:
            functions.append(BLOCKS[name]())
        else:
            raise UnknownNameError(
                "block", name, BLOCKS, hint="(one of your own: package.module:Name)"
            )
    return check_state_functions(functions)


def _made(block: type) -> object:
    try:
        return block()
    except Exception as error:  # a user's class may raise anything
        raise ParameterError(
            f"the block {block.__name__} cannot be made: {type(error).__name__}: {error}"
        ) from error


def state_functions_of(
    blocks: Iterable[BlockSchema], *, where: str, own: Iterable[StateFunction] = ()
) -> tuple[StateFunction, ...]:
    """Find the state functions that extract recorded blocks, in the same versions.

    Parameters
    ----------
    blocks
        Schemas of the recorded blocks.
    where
        Subject of the error message, such as a policy.
    own
        User-defined state functions, in addition to `BLOCKS`.

    Raises
    ------
    PolicyError
        If a block has no state function, or its version or columns differ.

    Examples
    --------
    >>> [function.name for function in state_functions_of(
    ...     [BlockSchema("pseudocost", 1, ("score", "down", "up"))], where="the example")]
    ['pseudocost']
    """
    known: dict[str, StateFunction] = {name: block() for name, block in BLOCKS.items()}
    known |= {function.name: function for function in own}
    functions = []
    for block in blocks:
        if block.name not in known:
            raise PolicyError(
                f"{where} reads the block '{block.name}', which this milplib does not have "
                f"(it has {', '.join(sorted(known))}): pass its state function as blocks= "
                "or --blocks module:Name"
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
