"""A user's own object, named on a command line or in a call as ``package.module:name``."""

from __future__ import annotations

from pkgutil import resolve_name

from milplib.errors import ParameterError

__all__ = ["named_object"]


def named_object(name: str, *, kind: str, instantiate: bool = False) -> object:
    """Import an object by its module and its name there.

    Parameters
    ----------
    name
        ``"package.module:name"``; the name may have dots of its own.
    kind
        What the object serves as, in the singular, for the message.
    instantiate
        Call the object without arguments if it is a class.

    Raises
    ------
    ParameterError
        If the import or the call fails, with the reason.

    Examples
    --------
    >>> named_object("collections:OrderedDict", kind="mapping", instantiate=True)
    OrderedDict()
    """
    try:
        named: object = resolve_name(name)
        return named() if instantiate and isinstance(named, type) else named
    except Exception as error:  # whatever a stranger's module may raise
        verb = "made" if instantiate else "imported"
        raise ParameterError(
            f"the {kind} '{name}' cannot be {verb}: {type(error).__name__}: {error}"
        ) from error
