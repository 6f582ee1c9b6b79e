"""Reference hashes of the first generated instances of each split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from milplib.arguments import checked
from milplib.display import Shown
from milplib.errors import MilplibWarning, warn_caller
from milplib.library.catalogue import find_generator
from milplib.library.distribution import Distribution
from milplib.library.folder import SPLITS
from milplib.parsing import parse_toml

__all__ = [
    "REFERENCE_COUNT",
    "REFERENCE_FILE",
    "Reference",
    "ReferenceWarning",
    "differences_of_stack",
    "differing_from_reference",
    "reference_hashes",
    "reference_stack",
    "references",
    "warn_where_different",
]

REFERENCE_COUNT = 3
"""Number of hashed instances per split."""

REFERENCE_FILE = "reference_hashes.toml"
"""Name of the reference file beside this module."""


class ReferenceWarning(MilplibWarning):
    """Generated instances differ from the reference instances of the same names."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Reference(Shown):
    """Hashes of the first instances of a distribution.

    Parameters
    ----------
    generator_version
        Version of the family that generated them.
    hashes
        SHA-256 of the LP files of the first instances with seed 0, by split.
    """

    generator_version: int
    hashes: Mapping[str, tuple[str, ...]]


@cache
def references() -> Mapping[str, Reference]:
    """Return the recorded references by distribution name.

    Examples
    --------
    >>> references()["SC-easy"].generator_version
    1
    """
    return MappingProxyType(
        {
            name: Reference(
                generator_version=entry["generator_version"],
                hashes=MappingProxyType({split: tuple(entry[split]) for split in SPLITS}),
            )
            for name, entry in _content()["distributions"].items()
        }
    )


@checked
def reference_hashes(name: str) -> Mapping[str, tuple[str, ...]] | None:
    """Return the SHA-256 of the first LP files of a distribution with seed 0.

    Returns
    -------
    mapping of str to tuple of str, or None
        Hashes by split, in the order of the instances. None if the distribution has no
        reference.

    Examples
    --------
    >>> {split: len(hashes) for split, hashes in reference_hashes("SC-easy").items()}
    {'train': 3, 'val': 3, 'test': 3}
    >>> reference_hashes("OTS-easy") is None
    True
    """
    reference = references().get(name)
    return None if reference is None else reference.hashes


def reference_stack() -> Mapping[str, str]:
    """Return the package versions that generated the reference, by package.

    Examples
    --------
    >>> sorted(reference_stack())
    ['networkx', 'numpy', 'scipy']
    """
    return MappingProxyType(_content()["stack"])


def differences_of_stack() -> tuple[str, ...]:
    """List installed packages whose version differs from the reference.

    Returns
    -------
    tuple of str
        Differences such as ``"numpy 2.0.0 instead of 2.4.6"``.

    Examples
    --------
    >>> len(differences_of_stack()) <= len(reference_stack())
    True
    """
    installed = {package: version(package) for package in reference_stack()}
    return tuple(
        f"{package} {installed[package]} instead of {recorded}"
        for package, recorded in reference_stack().items()
        if installed[package] != recorded
    )


def differing_from_reference(
    distribution: Distribution,
    *,
    split: str,
    seed: int,
    file_format: str,
    sha256s: Mapping[int, str],
) -> tuple[int, ...]:
    """Return the positions of generated instances that differ from the reference.

    Parameters
    ----------
    distribution, split, seed, file_format
        Origin of the files. Only LP files with seed 0 have a reference.
    sha256s
        SHA-256 of the files by position in the split.

    Returns
    -------
    tuple of int
        Ascending positions; empty if the reference has none of these files.

    Examples
    --------
    >>> from milplib.library import find_distribution
    >>> sha256s = {0: "a different hash", 7: "not in the reference"}
    >>> differing_from_reference(
    ...     find_distribution("SC-easy"), split="train", seed=0, file_format="lp", sha256s=sha256s)
    (0,)
    """
    hashes = reference_hashes(distribution.name)
    if hashes is None or seed != 0 or file_format != "lp":
        return ()
    expected = dict(enumerate(hashes[split]))
    return tuple(
        index for index in sorted(expected.keys() & sha256s) if sha256s[index] != expected[index]
    )


def warn_where_different(
    distribution: Distribution,
    *,
    split: str,
    seed: int,
    file_format: str,
    sha256s: Mapping[int, str],
) -> None:
    """Warn about generated instances that differ from the reference.

    Parameters
    ----------
    distribution, split, seed, file_format, sha256s
        As in `differing_from_reference`.

    Warns
    -----
    ReferenceWarning
        If instances differ. The message names them and the likely cause.

    Examples
    --------
    >>> from milplib.library import find_distribution
    >>> warn_where_different(
    ...     find_distribution("SC-easy"), split="train", seed=1, file_format="lp",
    ...     sha256s={0: "any"})
    """
    differing = differing_from_reference(
        distribution, split=split, seed=seed, file_format=file_format, sha256s=sha256s
    )
    if not differing:
        return
    generator = find_generator(distribution)
    family = f"{type(generator).__module__}:{type(generator).__qualname__}"
    recorded = references()[distribution.name].generator_version
    stack = differences_of_stack()
    mend = "install the versions of milplib's constraints.txt" if stack else "reinstall its package"
    reasons = list(stack)
    if generator.generator_version != recorded:
        reasons.append(f"version {generator.generator_version} of {family} instead of {recorded}")
    cause = f"here is {' and '.join(reasons)}" if reasons else f"{family} itself has changed"
    warn_caller(
        f"{distribution.name}, split {split}, seed {seed}: the instances "
        f"{', '.join(map(str, differing))} differ from the reference instances of these names; "
        f"{cause}: {mend}, or do not compare results by these names",
        ReferenceWarning,
    )


@cache
def _content() -> dict[str, Any]:
    return parse_toml(files("milplib.library").joinpath(REFERENCE_FILE).read_bytes())
