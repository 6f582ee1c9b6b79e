"""The reference: what the first generated instances of each split hash to, and on what stack."""

from __future__ import annotations

import tomllib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from milplib.errors import MilplibWarning
from milplib.library.catalogue import generator_of
from milplib.library.distribution import Distribution
from milplib.library.folder import SPLITS

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
"""Instances of each split that have a hash."""

REFERENCE_FILE = "reference_hashes.toml"
"""Name of the file, beside this module."""


class ReferenceWarning(MilplibWarning):
    """Generated instances are not those that others have under the same names."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What the first instances of a distribution are.

    Parameters
    ----------
    generator_version
        Of the family that made them.
    hashes
        By split, SHA-256 of the LP files of the first instances of seed 0.
    """

    generator_version: int
    hashes: Mapping[str, tuple[str, ...]]


@cache
def references() -> Mapping[str, Reference]:
    """Give the reference of every distribution that has one, by name.

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


def reference_hashes(name: str) -> Mapping[str, tuple[str, ...]] | None:
    """Give the SHA-256 of the first LP files of each split of a distribution, seed 0.

    Returns
    -------
    mapping of str to tuple of str, or None
        By split, in the order of the instances; None if the distribution has no reference.

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
    """Give the versions that the reference was made with, by package.

    Examples
    --------
    >>> sorted(reference_stack())
    ['networkx', 'numpy', 'scipy']
    """
    return MappingProxyType(_content()["stack"])


def differences_of_stack() -> tuple[str, ...]:
    """Say what is installed in other versions than the reference was made with.

    Returns
    -------
    tuple of str
        Such as ``"numpy 2.0.0 instead of 2.4.6"``; empty where all versions are the same.

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
    """Tell which generated instances are not those of the reference.

    Parameters
    ----------
    distribution, split, seed, file_format
        What was generated. Only LP files of seed 0 have a reference.
    sha256s
        SHA-256 of the files, by the instances' positions in the split.

    Returns
    -------
    tuple of int
        The positions, ascending; empty where there is nothing to compare with.

    Examples
    --------
    >>> from milplib.library import distribution
    >>> found = {0: "not this one", 7: "not in the reference"}
    >>> differing_from_reference(
    ...     distribution("SC-easy"), split="train", seed=0, file_format="lp", sha256s=found)
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
    stacklevel: int = 2,
) -> None:
    """Warn of generated instances that are not those of the reference.

    Parameters
    ----------
    distribution, split, seed, file_format, sha256s
        As in `differing_from_reference`.
    stacklevel
        As in `warnings.warn`: 2 names the caller of this function.

    Warns
    -----
    ReferenceWarning
        If there are any; the message says which, and what else is different.

    Examples
    --------
    >>> from milplib.library import distribution
    >>> warn_where_different(
    ...     distribution("SC-easy"), split="train", seed=1, file_format="lp", sha256s={0: "any"})
    """
    differing = differing_from_reference(
        distribution, split=split, seed=seed, file_format=file_format, sha256s=sha256s
    )
    if not differing:
        return
    generator = generator_of(distribution)
    family = f"{type(generator).__module__}:{type(generator).__qualname__}"
    recorded = references()[distribution.name].generator_version
    stack = differences_of_stack()
    mend = "install the versions of milplib's constraints.txt" if stack else "reinstall its package"
    reasons = list(stack)
    if generator.generator_version != recorded:
        reasons.append(f"version {generator.generator_version} of {family} instead of {recorded}")
    cause = f"here is {' and '.join(reasons)}" if reasons else f"{family} itself has changed"
    warnings.warn(
        f"{distribution.name}, split {split}, seed {seed}: the instances "
        f"{', '.join(map(str, differing))} are not those that others have under these names; "
        f"{cause}: {mend}, or do not compare results by these names",
        ReferenceWarning,
        stacklevel=stacklevel,
    )


@cache
def _content() -> dict[str, Any]:
    return tomllib.loads(files("milplib.library").joinpath(REFERENCE_FILE).read_text("utf-8"))
