"""A user's own object, named on a command line or in a call as ``package.module:name``."""

from __future__ import annotations

from importlib import import_module

from milplib.errors import ParameterError

__all__ = ["named_object"]


def named_object(name: str, *, kind: str, instantiate: bool = False) -> object:
    """Import an object by its module and its name there.

    Parameters
    ----------
    name
        ``"package.module:name"``.
    kind
        What it is to be, in the singular, for the message.
    instantiate
        Call it without arguments if it is a class.

    Raises
    ------
    ParameterError
        If that fails in any way, with the reason.

    Examples
    --------
    >>> named_object("collections:OrderedDict", kind="mapping", instantiate=True)
    OrderedDict()
    """
    module, _, attribute = name.partition(":")
    try:
        found: object = getattr(import_module(module), attribute)
        return found() if instantiate and isinstance(found, type) else found
    except Exception as error:  # whatever a stranger's module may raise
        verb = "made" if instantiate else "imported"
        raise ParameterError(
            f"the {kind} '{name}' cannot be {verb}: {type(error).__name__}: {error}"
        ) from error
