"""Objects that installed packages declare under an entry-point group."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from milplib.errors import MilplibError

__all__ = ["entry_points_of", "extensions", "load_extension", "register_extension"]

_registered: dict[str, dict[str, object]] = {}
"""Objects registered in this process, by group and name."""


def extensions(group: str) -> dict[str, object]:
    """Load all objects that installed packages declare under an entry-point group.

    milplib declares its own generators, models and run readers this way, so that lower packages
    need not import higher ones. Third parties extend milplib in the same way.

    Parameters
    ----------
    group
        Name of the group, such as ``"milplib.generators"``.

    Returns
    -------
    dict
        Objects by entry-point name, in alphabetical order; then those registered in this process.

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
    points = entry_points_of(group)
    loaded = {name: load_extension(group, point) for name, point in points.items()}
    return loaded | _registered.get(group, {})


def register_extension(group: str, name: str, extension: object) -> None:
    """Add an object to a group for the rest of this process.

    Registering a name again replaces the object, so that a cell of a notebook can run twice.

    Raises
    ------
    MilplibError
        If an installed package declares the name.

    Examples
    --------
    >>> register_extension("milplib.examples", "mine", 42)
    >>> extensions("milplib.examples")
    {'mine': 42}
    """
    if name in entry_points_of(group):
        raise MilplibError(f"an installed package declares '{name}' in {group}: use another name")
    _registered.setdefault(group, {})[name] = extension


def entry_points_of(group: str) -> dict[str, EntryPoint]:
    """Find the entry points of a group without loading them.

    Returns
    -------
    dict
        Entry points by name, in alphabetical order.

    Raises
    ------
    MilplibError
        If two packages declare the same name.

    Examples
    --------
    >>> entry_points_of("milplib.generators")["set_cover"].value
    'milplib.generators.set_cover:SetCover'
    """
    points: dict[str, EntryPoint] = {}
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        if point.name in points:
            raise MilplibError(
                f"two installed packages declare '{point.name}' in {group}: uninstall one of them"
            )
        points[point.name] = point
    return points


def load_extension(group: str, point: EntryPoint) -> object:
    """Load the object of an entry point.

    Raises
    ------
    MilplibError
        If it cannot be imported.
    """
    try:
        loaded: object = point.load()
    except (ImportError, AttributeError) as error:
        raise MilplibError(
            f"'{point.name}' of {group} ({point.value}) cannot be loaded: {error}; "
            "reinstall the package that declares it"
        ) from error
    return loaded
