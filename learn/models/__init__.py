"""Models as torch modules."""

from milplib.learn.models.gcnn import GCNN
from milplib.learn.models.prenorm import fit_norms

__all__ = ["GCNN", "fit_norms"]
