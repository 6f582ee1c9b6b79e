"""Torch modules of a user's own: which are known here, and what their constructors take."""

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
"""Name of the constructor's parameter that is told how many columns the blocks have."""

Network = TypeVar("Network", bound=type[Any])

_REGISTERED: dict[str, type[Any]] = {}


def is_network(found: object) -> TypeGuard[type[Any]]:
    """Tell whether an object is a class of torch modules; imports no torch."""
    torch = sys.modules.get("torch")  # who has such a class has imported it
    return torch is not None and isinstance(found, type) and issubclass(found, torch.nn.Module)


def network_name(network: type[Any]) -> str:
    """Give the name by which a policy file knows a class: ``"package.module:Class"``.

    Examples
    --------
    >>> from collections import Counter
    >>> network_name(Counter)
    'collections:Counter'
    """
    return f"{network.__module__}:{network.__qualname__}"


def register_network(network: Network) -> Network:
    """Make a class of torch modules known, so that `load_policy` loads policy files of it.

    Use it as a decorator. A policy file only names its class; milplib never imports a module
    because a file says so, hence the class must be registered in this process, or given to
    `load_policy`.

    Parameters
    ----------
    network
        The class.

    Raises
    ------
    ParameterError
        If it is not a class of torch modules.

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
    """Give the registered class of a name, if there is one."""
    return _REGISTERED.get(name)


def check_network_options(network: type[Any], options: Mapping[str, Any]) -> None:
    """Check that options are JSON values that the constructor of a network takes.

    Raises
    ------
    FieldError
        It names the option that is unknown, missing, or no JSON value.

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
    """Replace tuples by lists, as JSON does."""
    if isinstance(value, Mapping):
        return {key: _as_lists(item) for key, item in value.items()}
    return [_as_lists(item) for item in value] if isinstance(value, list | tuple) else value
