"""Named distributions of Distributional MIPLIB: sources, splits and folders of instances."""

from milplib.library.catalogue import distributions, find_distribution, find_generator, register
from milplib.library.distribution import (
    Distribution,
    InstanceGenerator,
    Provenance,
    generator_parameters,
)
from milplib.library.fetch_distribution import fetch
from milplib.library.folder import SPLITS, instance_files
from milplib.library.generation import generate_instance, generate_split, instance_seed
from milplib.library.leakage import Leak, leaks
from milplib.library.load_distribution import load
from milplib.library.manifest import BrokenInstance, InstanceRecord
from milplib.library.mixtures import mixture
from milplib.library.published import Published, published_distributions
from milplib.library.reference import ReferenceWarning, reference_hashes
from milplib.library.sources import SourceLimits
from milplib.library.split_fetcher import FetchedSplit, FetchProgress, RegeneratedWarning
from milplib.library.splits import InstanceFile, Split

# Names of earlier versions, which are public.
distribution = find_distribution
generator_of = find_generator

__all__ = [
    "SPLITS",
    "BrokenInstance",
    "Distribution",
    "FetchProgress",
    "FetchedSplit",
    "InstanceFile",
    "InstanceGenerator",
    "InstanceRecord",
    "Leak",
    "Provenance",
    "Published",
    "ReferenceWarning",
    "RegeneratedWarning",
    "SourceLimits",
    "Split",
    "distribution",
    "distributions",
    "fetch",
    "find_distribution",
    "find_generator",
    "generate_instance",
    "generate_split",
    "generator_of",
    "generator_parameters",
    "instance_files",
    "instance_seed",
    "leaks",
    "load",
    "mixture",
    "published_distributions",
    "reference_hashes",
    "register",
]
