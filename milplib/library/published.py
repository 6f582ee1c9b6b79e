"""Facts about the published distributions, read from ``catalogue.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from milplib.display import Shown
from milplib.parsing import parse_toml

__all__ = ["Published", "published_distributions"]

# MMCN's names end in the variable types: binary and integer, binary and continuous.
_SUFFIXES = ("-BI", "-BC")


@dataclass(frozen=True, kw_only=True, repr=False)
class Published(Shown):
    """Facts about a distribution of Distributional MIPLIB.

    Parameters
    ----------
    name, domain, level
        Name ``{domain}-{level}``, with an optional suffix, and its parts. The level is the
        published one, for Gurobi.
    title
        Name of the domain in words.
    splits
        Number of instances by split; empty if unknown.
    parameters
        Parameters of the generator, in words; empty if not published.
    columns, rows
        Approximate size of an instance; None if unknown.
    mean_bytes, file_format
        Mean size of a published file, and its format; None and empty if unknown.
    settings
        SCIP parameters that belong to the distribution.
    licence
        Licence of the data.
    mirror
        Data set on the Hugging Face Hub.
    sha256
        Known checksums of the mirror's files by split. None are published; the cache records
        those of a first fetch.
    references
        Publications that describe the data set and the problem.

    References
    ----------
    Huang, Huang, Ferber, Dilkina, "Distributional MIPLIB: a multi-domain library for advancing
    ML-guided MILP methods", 2024, arXiv 2406.06954.
    """

    name: str
    domain: str
    level: str
    title: str
    splits: Mapping[str, int]
    parameters: str
    columns: int | None
    rows: int | None
    mean_bytes: int | None
    file_format: str
    settings: Mapping[str, float]
    licence: str
    mirror: str
    sha256: Mapping[str, str]
    references: tuple[str, ...]


@cache
def published_distributions() -> Mapping[str, Published]:
    """Return the published distributions by name, grouped by domain.

    Examples
    --------
    >>> published_distributions()["NNV-easy"].settings["numerics/feastol"]
    0.0001
    >>> published_distributions()["MMCN-hard-BI"].level
    'hard'
    """
    content = parse_toml(files("milplib.library").joinpath("catalogue.toml").read_bytes())
    dataset, domains = content["dataset"], content["domains"]
    entries = [_entry(entry, domains, dataset) for entry in content["distributions"]]
    return MappingProxyType({entry.name: entry for entry in entries})


def _entry(entry: dict[str, Any], domains: dict[str, Any], dataset: dict[str, Any]) -> Published:
    name = entry["name"]
    code, _, level = name.partition("-")
    domain = domains[code]
    for suffix in _SUFFIXES:
        level = level.removesuffix(suffix)
    return Published(
        name=name,
        domain=code,
        level=level,
        title=domain["title"],
        splits=MappingProxyType(domain.get("splits", dataset["splits"])),
        parameters=entry.get("parameters", ""),
        columns=entry.get("columns"),
        rows=entry.get("rows"),
        mean_bytes=entry.get("mean_bytes"),
        file_format=entry.get("format", ""),
        settings=MappingProxyType(domain.get("settings", {})),
        licence=domain.get("licence", dataset["licence"]),
        mirror=dataset["mirror"],
        sha256=MappingProxyType(entry.get("sha256", {})),
        references=(dataset["reference"], *domain["references"]),
    )
