"""Domains of the fields of a study."""

from __future__ import annotations

import math
import re
from collections.abc import Collection

from milplib.study.errors import FieldError

__all__ = ["at_least", "fit_for_files", "one_of", "positive", "probability", "seeds"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


def at_least(thing: object, least: float, *names: str) -> None:
    """Refuse fields that are there and too small."""
    for name in names:
        value = getattr(thing, name)
        if value is not None and value < least:
            raise FieldError(name, f"{value:g}; it must be at least {least:g}")


def positive(thing: object, *names: str) -> None:
    """Refuse fields that are there, and not positive and finite."""
    for name in names:
        value = getattr(thing, name)
        if value is not None and not 0 < value < math.inf:
            raise FieldError(name, f"{value:g}; it must be positive and finite")


def probability(thing: object, name: str) -> None:
    """Refuse a probability that is there and not in (0, 1]."""
    value = getattr(thing, name)
    if value is not None and not 0 < value <= 1:
        raise FieldError(name, f"{value:g}; it must be in (0, 1]")


def one_of(thing: object, name: str, known: Collection[str]) -> None:
    """Refuse a word that is not known."""
    value = getattr(thing, name)
    if value not in known:
        raise FieldError(name, f"'{value}'; it must be {' or '.join(known)}")


def seeds(thing: object, name: str) -> None:
    """Refuse seeds of which there are none, or that are negative or there twice."""
    values = getattr(thing, name)
    if not values:
        raise FieldError(name, "empty; there must be at least one seed")
    if len(set(values)) < len(values):
        raise FieldError(name, f"{list(values)}; no seed may be there twice")
    if min(values) < 0:
        raise FieldError(name, f"{list(values)}; no seed may be negative")


def fit_for_files(thing: object, name: str) -> None:
    """Refuse a name that cannot be part of the name of a file."""
    value = getattr(thing, name)
    if not _NAME.fullmatch(value):
        raise FieldError(name, f"'{value}'; it must be fit for the name of a file")
