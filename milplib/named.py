"""User-defined objects, named in a command or a call as ``package.module:name``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pkgutil import resolve_name

from milplib.errors import ParameterError

__all__ = ["check_named", "load_object", "only_modules"]

_ALLOWED: ContextVar[frozenset[str] | None] = ContextVar("allowed modules", default=None)


@contextmanager
def only_modules(allowed: Iterable[str]) -> Iterator[None]:
    """Let `load_object` import only some modules while the block runs.

    Whatever a file names is looked up in such a block: a file must not decide which code runs.

    Parameters
    ----------
    allowed
        Names of modules that the user trusts; packages include their modules.

    Examples
    --------
    >>> with only_modules(["collections"]):
    ...     load_object("fractions:Fraction", role="policy")
    Traceback (most recent call last):
    milplib.errors.ParameterError: the policy 'fractions:Fraction' is in the module 'fractions', \
which a file must not import by itself: allow it, if you trust it, with --allow fractions
    """
    token = _ALLOWED.set(frozenset(allowed))
    try:
        yield
    finally:
        _ALLOWED.reset(token)


def check_named(name: str, *, role: str, allowed: Iterable[str]) -> None:
    """Check that a name in a file is in no module, or in one that is allowed.

    Raises
    ------
    ParameterError
        If the name has the form ``"package.module:name"`` and the module is not allowed.

    Examples
    --------
    >>> check_named("relpscost", role="policy", allowed=())
    """
    module, colon, _ = name.partition(":")
    parents = module.split(".")
    names = {".".join(parents[:length]) for length in range(1, len(parents) + 1)}
    if not colon or not names.isdisjoint(allowed):
        return
    raise ParameterError(
        f"the {role} '{name}' is in the module '{module}', which a file must not import by "
        f"itself: allow it, if you trust it, with --allow {module}"
    )


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
        If the import or the call fails, or the module is not among those of `only_modules`.

    Examples
    --------
    >>> load_object("collections:OrderedDict", role="mapping", instantiate=True)
    OrderedDict()
    """
    if (allowed := _ALLOWED.get()) is not None:
        check_named(name, role=role, allowed=allowed)
    try:
        named: object = resolve_name(name)
        return named() if instantiate and isinstance(named, type) else named
    except Exception as error:  # a user's module may raise anything
        verb = "made" if instantiate else "imported"
        raise ParameterError(
            f"the {role} '{name}' cannot be {verb}: {type(error).__name__}: {error}"
        ) from error
