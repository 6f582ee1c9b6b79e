"""Distributional MIPLIB: named distributions, their splits, folders of instances."""

from milplib.library.catalogue import distribution, distributions
from milplib.library.distribution import (
    Distribution,
    InstanceGenerator,
    Provenance,
    generator_parameters,
)
from milplib.library.folder import SPLITS, InstanceFile, instance_files
from milplib.library.generation import GeneratedInstance, generate_split, instance_seed

__all__ = [
    "SPLITS",
    "Distribution",
    "GeneratedInstance",
    "InstanceFile",
    "InstanceGenerator",
    "Provenance",
    "distribution",
    "distributions",
    "generate_split",
    "generator_parameters",
    "instance_files",
    "instance_seed",
]
