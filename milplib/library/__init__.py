"""Distributional MIPLIB: named distributions, their splits, folders of instances."""

from milplib.library.catalogue import distribution, distributions, generator_of
from milplib.library.distribution import (
    Distribution,
    InstanceGenerator,
    Provenance,
    generator_parameters,
)
from milplib.library.folder import SPLITS, InstanceFile, instance_files
from milplib.library.generation import GeneratedInstance, generate_split, instance_seed
from milplib.library.published import Published, published_distributions

__all__ = [
    "SPLITS",
    "Distribution",
    "GeneratedInstance",
    "InstanceFile",
    "InstanceGenerator",
    "Provenance",
    "Published",
    "distribution",
    "distributions",
    "generate_split",
    "generator_of",
    "generator_parameters",
    "instance_files",
    "instance_seed",
    "published_distributions",
]
