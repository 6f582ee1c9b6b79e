"""Packages that milplib needs and those of its extras, from its own metadata."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version

__all__ = ["Extra", "core_packages", "extras", "import_name", "installed_version"]

_ALL = "all"
"""Extra that names all others for users; one for developers is not among them."""

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9._-]+)\s*(?:\[([^]]*)\])?")
_EXTRA = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")
_IMPORT_NAMES = {"pyyaml": "yaml"}


@dataclass(frozen=True, kw_only=True)
class Extra:
    """Extra of milplib, and the packages that it installs.

    Examples
    --------
    >>> Extra(name="highs", packages=("highspy",)).command
    "pip install 'milplib[highs]'"
    """

    name: str
    packages: tuple[str, ...]

    @property
    def command(self) -> str:
        """Command that installs the extra."""
        return f"pip install 'milplib[{self.name}]'"

    @property
    def missing(self) -> tuple[str, ...]:
        """Packages that are not installed."""
        return tuple(name for name in self.packages if installed_version(name) is None)


def extras(requirements: Iterable[str] | None = None) -> tuple[Extra, ...]:
    """Return the extras that milplib offers its users, by name.

    Parameters
    ----------
    requirements
        Requirements as packages declare them. Default: those of the installed milplib.

    Examples
    --------
    >>> extras(["numpy>=1", "torch>=2; extra == 'learn'", "pytest; extra == 'dev'",
    ...         "milplib[learn]; extra == 'all'"])
    (Extra(name='learn', packages=('torch',)),)
    """
    packages: dict[str, list[str]] = {}
    offered: list[str] = []
    for name, listed, extra in _parsed(requirements):
        if extra == _ALL:
            offered += listed
        elif extra:
            packages.setdefault(extra, []).append(name)
    return tuple(
        Extra(name=name, packages=tuple(packages.get(name, ()))) for name in sorted(offered)
    )


def core_packages(requirements: Iterable[str] | None = None) -> tuple[str, ...]:
    """Return the packages that milplib cannot do without.

    Examples
    --------
    >>> core_packages(["numpy>=1.26,<3", "torch>=2; extra == 'learn'"])
    ('numpy',)
    """
    return tuple(name for name, _, extra in _parsed(requirements) if not extra)


def _parsed(requirements: Iterable[str] | None) -> Iterator[tuple[str, list[str], str]]:
    """Yield the name, the named extras and the extra that asks for it, of each requirement."""
    for text in (requires("milplib") or ()) if requirements is None else requirements:
        match, extra = _REQUIREMENT.match(text), _EXTRA.search(text)
        if match:
            listed = [name.strip() for name in (match[2] or "").split(",") if name.strip()]
            yield match[1], listed, extra[1] if extra else ""


def import_name(package: str) -> str:
    """Return the name to import of a package that milplib needs.

    Examples
    --------
    >>> import_name("pyyaml"), import_name("networkx")
    ('yaml', 'networkx')
    """
    return _IMPORT_NAMES.get(package.lower(), package.replace("-", "_"))


def installed_version(package: str) -> str | None:
    """Return the version of an installed package, or None.

    Examples
    --------
    >>> installed_version("no-such-package") is None
    True
    """
    try:
        return version(package)
    except PackageNotFoundError:
        return None
