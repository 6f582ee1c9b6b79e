"""Extensions: objects that installed packages declare under an entry-point group."""

from __future__ import annotations

from importlib.metadata import entry_points

from milplib.errors import MilplibError

__all__ = ["extensions"]


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
    loaded: dict[str, object] = {}
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        if point.name in loaded:
            raise MilplibError(
                f"two installed packages declare '{point.name}' in {group}: uninstall one of them"
            )
        try:
            loaded[point.name] = point.load()
        except (ImportError, AttributeError) as error:
            raise MilplibError(
                f"'{point.name}' of {group} ({point.value}) cannot be loaded: {error}; "
                "reinstall the package that declares it"
            ) from error
    return loaded
