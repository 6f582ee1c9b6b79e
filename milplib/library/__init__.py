"""Distributional MIPLIB: the catalogue of named distributions."""

from milplib.library.catalogue import distribution, distributions
from milplib.library.distribution import Distribution, InstanceGenerator, Provenance

__all__ = ["Distribution", "InstanceGenerator", "Provenance", "distribution", "distributions"]
