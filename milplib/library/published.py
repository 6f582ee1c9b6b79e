"""What is known of the published distributions, from ``catalogue.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

__all__ = ["Published", "published_distributions"]

# MMCN's names end in the kinds of variables: binary and integer, binary and continuous.
_SUFFIXES = ("-BI", "-BC")


@dataclass(frozen=True, kw_only=True)
class Published:
    """What is known of a distribution of Distributional MIPLIB.

    Parameters
    ----------
    name, domain, level
        ``{domain}-{level}``, with an optional suffix; the level is the data set's, by Gurobi.
    title
        The domain in words.
    splits
        Number of instances of each split; empty where it is not known.
    parameters
        What the instances were generated with, in words; empty where nobody has published it.
    columns, rows
        Of an instance, or about so many; None where it is not known.
    mean_bytes, file_format
        Mean size of a published file in its format; None and empty where it is not known.
    settings
        SCIP parameters that belong to the distribution.
    licence
        What its authors allow.
    mirror
        Data set of the Hugging Face Hub that has it.
    sha256
        Checksums of the mirror's files by split, where they are known. Nobody has published any;
        those of a first fetch are recorded in the cache.
    references
        Where the data set and the problem are described.

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
    """List the published distributions by name, those of a domain together.

    Examples
    --------
    >>> published_distributions()["NNV-easy"].settings["numerics/feastol"]
    0.0001
    >>> published_distributions()["MMCN-hard-BI"].level
    'hard'
    """
    content = tomllib.loads(files("milplib.library").joinpath("catalogue.toml").read_text("utf-8"))
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
