"""User-defined torch modules: their registration and their constructors' options."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Mapping
from typing import Any, TypeGuard, TypeVar

from milplib.errors import FieldError, ParameterError

__all__ = [
    "BLOCK_COLUMNS",
    "check_network_options",
    "is_network",
    "network_name",
    "register_network",
    "registered_network",
]

BLOCK_COLUMNS = "n_block_columns"
"""Name of the constructor's parameter for the number of block columns."""

Network = TypeVar("Network", bound=type[Any])

_REGISTERED: dict[str, type[Any]] = {}


def is_network(found: object) -> TypeGuard[type[Any]]:
    """Return whether an object is a class of torch modules, without importing torch."""
    torch = sys.modules.get("torch")  # such a class exists only if torch was imported
    return torch is not None and isinstance(found, type) and issubclass(found, torch.nn.Module)


def network_name(network: type[Any]) -> str:
    """Return the name of a class in policy files, ``"package.module:Class"``.

    Examples
    --------
    >>> from collections import Counter
    >>> network_name(Counter)
    'collections:Counter'
    """
    return f"{network.__module__}:{network.__qualname__}"


def register_network(network: Network) -> Network:
    """Register a class of torch modules, so that `load_policy` can load its policy files.

    Use it as a decorator. A policy file only names its class, and milplib never imports a module
    that only a file names. Register the class in the process, or pass it to `load_policy`.

    Parameters
    ----------
    network
        Subclass of ``torch.nn.Module``.

    Raises
    ------
    ParameterError
        If `network` is not a class of torch modules.

    Examples
    --------
    >>> import torch
    >>> @register_network
    ... class Mine(torch.nn.Module):
    ...     pass
    >>> registered_network(network_name(Mine)) is Mine
    True
    """
    if not is_network(network):
        raise ParameterError(
            f"{network!r} is not a class of torch modules: register a subclass of torch.nn.Module"
        )
    _REGISTERED[network_name(network)] = network
    return network


def registered_network(name: str) -> type[Any] | None:
    """Return the registered class of a name, or None."""
    return _REGISTERED.get(name)


def check_network_options(network: type[Any], options: Mapping[str, Any]) -> None:
    """Check that options are JSON values that a network's constructor accepts.

    Raises
    ------
    FieldError
        If an option is unknown, missing, or not a JSON value.

    Examples
    --------
    >>> class Net:
    ...     def __init__(self, *, hidden=32): ...
    >>> check_network_options(Net, {"hiden": 8})
    Traceback (most recent call last):
    milplib.errors.FieldError: hiden is no option of Net; it takes hidden
    """
    parameters = inspect.signature(network).parameters
    keywords = {
        name: parameter
        for name, parameter in parameters.items()
        if parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    }
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    known = ", ".join(name for name in keywords if name != BLOCK_COLUMNS) or "none"
    for name, value in options.items():
        if name == BLOCK_COLUMNS or not (takes_any or name in keywords):
            raise FieldError(name, f"no option of {network.__name__}; it takes {known}")
        try:
            is_json = json.loads(json.dumps(value, allow_nan=False)) == _as_lists(value)
        except (TypeError, ValueError):
            is_json = False
        if not is_json:
            raise FieldError(
                name,
                f"{value!r}, which is no JSON value: give {network.__name__} numbers, texts, "
                "truth values, and lists and dictionaries of these",
            )
    for name, parameter in keywords.items():
        if parameter.default is parameter.empty and name not in {*options, BLOCK_COLUMNS}:
            raise FieldError(name, f"not given, and {network.__name__} has no default for it")


def _as_lists(value: Any) -> Any:
    """Replace tuples with lists, as JSON does."""
    if isinstance(value, Mapping):
        return {key: _as_lists(item) for key, item in value.items()}
    return [_as_lists(item) for item in value] if isinstance(value, list | tuple) else value
