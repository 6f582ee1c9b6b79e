"""Extensions: objects that installed packages declare under an entry-point group."""

from __future__ import annotations

from importlib.metadata import EntryPoints, entry_points

from milplib.errors import MilplibError

__all__ = ["extension", "extensions"]


def extensions(group: str) -> dict[str, object]:
    """Load all objects that installed packages declare under an entry-point group.

    milplib declares its own generators, models and run readers this way, so that lower packages
    need not import higher ones, and third parties extend them by the same means.

    Parameters
    ----------
    group
        Name of the group, such as ``"milplib.generators"``.

    Returns
    -------
    dict
        The objects by the names of their entry points, in alphabetical order.

    Raises
    ------
    MilplibError
        If two packages declare the same name, or an object cannot be imported.

    References
    ----------
    Python Packaging User Guide, "Entry points specification".

    Examples
    --------
    >>> extensions("milplib.generators")["set_cover"].domain
    'SC'
    """
    points = entry_points(group=group)
    return {name: _loaded(group, name, points) for name in sorted(points.names)}


def extension(group: str, name: str) -> object | None:
    """Load one object of an entry-point group, and none of the others.

    Parameters
    ----------
    group
        Name of the group, such as ``"milplib.runs"``.
    name
        Name of the entry point.

    Returns
    -------
    object or None
        The object; None if no installed package declares the name.

    Raises
    ------
    MilplibError
        If two packages declare the name, or the object cannot be imported.

    Examples
    --------
    >>> extension("milplib.generators", "set_cover").domain
    'SC'
    >>> extension("milplib.generators", "no_such_family") is None
    True
    """
    points = entry_points(group=group)
    return _loaded(group, name, points) if name in points.names else None


def _loaded(group: str, name: str, points: EntryPoints) -> object:
    point, *others = points.select(name=name)
    if others:
        raise MilplibError(
            f"two installed packages declare '{name}' in {group}: uninstall one of them"
        )
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        raise MilplibError(
            f"'{name}' of {group} ({point.value}) cannot be loaded: {error}; "
            "reinstall the package that declares it"
        ) from error
