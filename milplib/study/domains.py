"""Checks of the domains of a study's fields."""

from __future__ import annotations

import math
import re
from collections.abc import Collection

from milplib.study.errors import FieldError

__all__ = ["at_least", "fit_for_files", "one_of", "positive", "probability", "seeds"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


def at_least(options: object, least: float, *names: str) -> None:
    """Check that fields are None or at least `least`."""
    for name in names:
        value = getattr(options, name)
        if value is not None and value < least:
            raise FieldError(name, f"{value:g}; it must be at least {least:g}")


def positive(options: object, *names: str) -> None:
    """Check that fields are None or positive and finite."""
    for name in names:
        value = getattr(options, name)
        if value is not None and not 0 < value < math.inf:
            raise FieldError(name, f"{value:g}; it must be positive and finite")


def probability(options: object, name: str) -> None:
    """Check that a probability is None or in (0, 1]."""
    value = getattr(options, name)
    if value is not None and not 0 < value <= 1:
        raise FieldError(name, f"{value:g}; it must be in (0, 1]")


def one_of(options: object, name: str, known: Collection[str]) -> None:
    """Check that a word is known."""
    value = getattr(options, name)
    if value not in known:
        raise FieldError(name, f"'{value}'; it must be {' or '.join(known)}")


def seeds(options: object, name: str) -> None:
    """Check that there is at least one seed, none negative and none twice."""
    values = getattr(options, name)
    if not values:
        raise FieldError(name, "empty; there must be at least one seed")
    if len(set(values)) < len(values):
        raise FieldError(name, f"{list(values)}; no seed may be there twice")
    if min(values) < 0:
        raise FieldError(name, f"{list(values)}; no seed may be negative")


def fit_for_files(options: object, name: str) -> None:
    """Check that a name can be part of a file name."""
    value = getattr(options, name)
    if not _NAME.fullmatch(value):
        raise FieldError(
            name,
            f"'{value}'; it must fit a file name: letters, digits and ._+-, a letter or digit "
            "first",
        )
