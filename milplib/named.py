"""User-defined objects, named in a command or a call as ``package.module:name``."""

from __future__ import annotations

from pkgutil import resolve_name

from milplib.errors import ParameterError

__all__ = ["load_object"]


def load_object(name: str, *, role: str, instantiate: bool = False) -> object:
    """Import an object by its module and name.

    Parameters
    ----------
    name
        ``"package.module:name"``. The part after the colon may contain dots.
    role
        Role of the object, in the singular, for the error message.
    instantiate
        Whether to call the object without arguments if it is a class.

    Raises
    ------
    ParameterError
        If the import or the call fails.

    Examples
    --------
    >>> load_object("collections:OrderedDict", role="mapping", instantiate=True)
    OrderedDict()
    """
    try:
        named: object = resolve_name(name)
        return named() if instantiate and isinstance(named, type) else named
    except Exception as error:  # a user's module may raise anything
        verb = "made" if instantiate else "imported"
        raise ParameterError(
            f"the {role} '{name}' cannot be {verb}: {type(error).__name__}: {error}"
        ) from error
