"""Families of instances by cheap features: which policy an instance may be trusted to."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from milplib.errors import ParameterError, PolicyError
from milplib.files import atomic_write_json
from milplib.instance import Instance
from milplib.policies.combinations import Portfolio
from milplib.structure.family_features import (
    FAMILY_FEATURES,
    LENGTHS,
    SHARES,
    SIZES,
    SPREADS,
    Vector,
    family_features,
)

__all__ = [
    "Family",
    "portfolio_of",
    "read_families",
    "write_families",
]

FORMAT = "milplib-families"
FAMILIES_VERSION = 1

# How far outside what was seen an instance may lie. Policies are judged on instances twice as
# large as those they are trained on, hence the sizes; row lengths grow with some families' sizes.
_SLACK = np.repeat(
    [np.log(3.0), np.log(2.2), 0.2, 0.05], list(map(len, (SIZES, LENGTHS, SPREADS, SHARES)))
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Family:
    """Instances that are alike, and the policy for them.

    Parameters
    ----------
    name
        Its name.
    policy
        What branches on them, as `milplib.load_policy` takes it.
    lower, upper
        The least and the greatest values of `FAMILY_FEATURES` that were seen, shape
        ``(len(FAMILY_FEATURES),)``. An instance may lie a little outside: see `outside`.

    Raises
    ------
    ParameterError
        If the arrays have another shape, are not finite, or cross.

    Examples
    --------
    >>> from milplib.generators import CombinatorialAuction, SetCover
    >>> auctions = [CombinatorialAuction(n_items=50, n_bids=200).generate(seed) for seed in (1, 2)]
    >>> family = Family.of("CA", "pscost", auctions)
    >>> family.holds(family_features(CombinatorialAuction(n_items=70, n_bids=300).generate(3)))
    True
    >>> family.holds(family_features(SetCover(n_rows=50, n_columns=200, density=0.1).generate(3)))
    False
    """

    name: str
    policy: str
    lower: Vector
    upper: Vector

    def __post_init__(self) -> None:
        for name in ("lower", "upper"):
            values = np.array(getattr(self, name), dtype=np.float64)
            if values.shape != (len(FAMILY_FEATURES),) or not np.isfinite(values).all():
                raise ParameterError(
                    f"{name} of the family '{self.name}' must be {len(FAMILY_FEATURES)} finite "
                    f"numbers; its shape is {values.shape}"
                )
            values.flags.writeable = False
            object.__setattr__(self, name, values)
        if (crossed := np.flatnonzero(self.lower > self.upper)).size:
            feature = FAMILY_FEATURES[crossed[0]]
            raise ParameterError(f"{feature} of the family '{self.name}' has lower above upper")

    @classmethod
    def of(cls, name: str, policy: str, instances: Iterable[Instance]) -> Family:
        """Make a family of examples.

        Raises
        ------
        ParameterError
            If there are none.
        """
        found = np.array([family_features(instance) for instance in instances])
        if not len(found):
            raise ParameterError(f"the family '{name}' needs at least one instance")
        return cls(name=name, policy=policy, lower=found.min(axis=0), upper=found.max(axis=0))

    def outside(self, features: Vector) -> dict[str, float]:
        """Tell which features keep an instance out of the family, and their values.

        Sizes may be three times smaller or larger than those seen, mean row and column lengths
        2.2 times, spreads may differ by 0.2, shares by 0.05.
        """
        far = self._beyond(features) > 1
        return {FAMILY_FEATURES[place]: float(features[place]) for place in np.flatnonzero(far)}

    def holds(self, features: Vector) -> bool:
        """Tell whether an instance with these features belongs to the family."""
        return not self.outside(features)

    def distance(self, features: Vector) -> float:
        """How far outside what was seen an instance lies, in units of what it may."""
        return float(self._beyond(features).sum())

    def _beyond(self, features: Vector) -> Vector:
        """How far outside what was seen each feature is, in units of what it may."""
        outside = np.maximum(self.lower - features, features - self.upper).clip(min=0.0)
        return np.asarray(outside / _SLACK)


def portfolio_of(
    families: Sequence[Family],
    *,
    otherwise: str = "relpscost",
    policies: Mapping[str, object] = MappingProxyType({}),
    name: str = "portfolio",
) -> Portfolio:
    """Make a portfolio that gives every instance the policy of its family.

    Parameters
    ----------
    families
        The families. Of several that an instance belongs to, the one whose examples it is nearest
        to decides.
    otherwise
        The policy for instances of no family.
    policies
        Policies by the names that families have for them; other names are for
        `milplib.load_policy`.
    name
        A name for results.

    Examples
    --------
    >>> from milplib.generators import CombinatorialAuction, SetCover
    >>> auctions = [CombinatorialAuction(n_items=50, n_bids=200).generate(seed) for seed in (1, 2)]
    >>> portfolio = portfolio_of([Family.of("CA", "pscost", auctions)])
    >>> portfolio.picked(CombinatorialAuction(n_items=50, n_bids=200).generate(seed=5)).name
    'pscost'
    >>> portfolio.picked(SetCover(n_rows=50, n_columns=60, density=0.1).generate(seed=0)).name
    'relpscost'
    """

    def pick(instance: Instance) -> str:
        features = family_features(instance)
        holding = [family for family in families if family.holds(features)]
        return min(holding, key=lambda f: f.distance(features)).policy if holding else otherwise

    named = (otherwise, *(family.policy for family in families))
    return Portfolio(pick, {key: policies.get(key, key) for key in named}, name=name)


def write_families(path: str | os.PathLike[str], families: Sequence[Family]) -> None:
    """Write families to a JSON file.

    Examples
    --------
    >>> import tempfile
    >>> from milplib.generators import SetCover
    >>> cover = SetCover(n_rows=50, n_columns=60, density=0.1).generate(seed=0)
    >>> path = tempfile.mkdtemp() + "/families.json"
    >>> write_families(path, [Family.of("SC", "pscost", [cover])])
    >>> read_families(path)[0].holds(family_features(cover))
    True
    """

    def by_feature(values: Vector) -> dict[str, float]:
        return {k: round(v, 6) for k, v in zip(FAMILY_FEATURES, values.tolist(), strict=True)}

    entries = [
        {
            "name": family.name,
            "policy": family.policy,
            "lower": by_feature(family.lower),
            "upper": by_feature(family.upper),
        }
        for family in families
    ]
    content = {"format": FORMAT, "version": FAMILIES_VERSION, "families": entries}
    atomic_write_json(path, content)


def read_families(path: str | os.PathLike[str]) -> tuple[Family, ...]:
    """Read families.

    Raises
    ------
    PolicyError
        If the file is missing, damaged, or of another version.
    """
    try:
        content = json.loads(Path(path).read_bytes())
        if content["format"] != FORMAT or content["version"] != FAMILIES_VERSION:
            raise PolicyError(f"{path} is no families file that this milplib can read")
        return tuple(map(_family, content["families"]))
    except (OSError, ValueError, KeyError, TypeError, ParameterError) as error:
        raise PolicyError(f"cannot read the families in {path}: {error!r}") from error


def _family(entry: Mapping[str, Any]) -> Family:
    lower, upper = (
        np.array([entry[side][feature] for feature in FAMILY_FEATURES], dtype=np.float64)
        for side in ("lower", "upper")
    )
    return Family(name=str(entry["name"]), policy=str(entry["policy"]), lower=lower, upper=upper)
