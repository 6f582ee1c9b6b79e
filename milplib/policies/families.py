"""Families of instances by cheap features, and the policy of each family."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypedDict

import numpy as np

from milplib.arguments import checked, given, listed
from milplib.display import Shown
from milplib.errors import ParameterError, PolicyError
from milplib.files import atomic_write_json
from milplib.instance import Instance
from milplib.named import check_named
from milplib.parsing import read_json
from milplib.policies.combinations import Portfolio
from milplib.policies.picked import PickReason
from milplib.policies.rules import find_rule
from milplib.schema import conforming
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
    "SCIPS_DEFAULT",
    "Family",
    "FamilyPick",
    "portfolio_of",
    "read_families",
    "write_families",
]

FORMAT = "milplib-families"
FAMILIES_VERSION = 1

SCIPS_DEFAULT = "relpscost"
"""SCIP's default rule."""

_SHOWN = 3
"""Number of features that a pick names."""

# Tolerance beyond the observed range. Policies are evaluated on instances twice as large as their
# training instances, hence the sizes; in some families the row lengths grow with the size.
_SLACK = np.repeat(
    [np.log(3.0), np.log(2.2), 0.2, 0.05], list(map(len, (SIZES, LENGTHS, SPREADS, SHARES)))
)


class _FamilyEntry(TypedDict):
    name: str
    policy: str
    lower: dict[str, float]
    upper: dict[str, float]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Family(Shown):
    """A family of similar instances and its policy.

    Parameters
    ----------
    name
        Name of the family.
    policy
        Policy for its instances: a name or path that `milplib.load_policy` accepts.
    lower, upper
        Smallest and largest observed values of `FAMILY_FEATURES`, shape
        ``(len(FAMILY_FEATURES),)``, float64. An instance may lie slightly outside, see `outside`.

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
            try:
                values = np.array(getattr(self, name), dtype=np.float64)
            except (TypeError, ValueError) as error:
                raise ParameterError(
                    f"{name} of the family '{self.name}' must be numbers: {error}"
                ) from error
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
        """Make a family from example instances.

        Raises
        ------
        ParameterError
            If `instances` is empty.
        """
        features = np.array([family_features(each) for each in listed(instances, "instances")])
        if not len(features):
            raise ParameterError(f"the family '{name}' needs at least one instance")
        return cls(name=name, policy=policy, lower=features.min(axis=0), upper=features.max(axis=0))

    def outside(self, features: Vector) -> dict[str, float]:
        """Return the features that exclude an instance from the family, and their values.

        Compared with the observed range, sizes may be three times smaller or larger, and mean row
        and column lengths 2.2 times. Spreads may differ by 0.2, and shares by 0.05.
        """
        far = self._beyond(features) > 1
        return {FAMILY_FEATURES[place]: float(features[place]) for place in np.flatnonzero(far)}

    def holds(self, features: Vector) -> bool:
        """Return whether an instance with these features belongs to the family."""
        return not self.outside(features)

    def distance(self, features: Vector) -> float:
        """Return the distance from the observed range, in units of the tolerance."""
        return float(self._beyond(features).sum())

    def _beyond(self, features: Vector) -> Vector:
        """Return each feature's distance from the observed range, in units of its tolerance."""
        outside = np.maximum(self.lower - features, features - self.upper).clip(min=0.0)
        return np.asarray(outside / _SLACK)


@checked
def portfolio_of(
    families: Sequence[Family],
    *,
    otherwise: str | None = "relpscost",
    policies: Mapping[str, object] = MappingProxyType({}),
    name: str = "portfolio",
) -> Portfolio:
    """Make a portfolio that picks the policy of an instance's family.

    Parameters
    ----------
    families
        The families. If an instance belongs to several, the nearest one decides (see
        `Family.distance`).
    otherwise
        Policy for instances of no family, and for models with more than linear rows. None leaves
        both to SCIP; `milplib.solve` then runs SCIP's default rule.
    policies
        Policies by the names that the families use. `milplib.load_policy` resolves other names.
    name
        Name for results.

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
    several = _families(families)
    pick = FamilyPick(several, otherwise)
    named = (otherwise or SCIPS_DEFAULT, *(family.policy for family in several))
    return Portfolio(pick, {key: policies.get(key, key) for key in named}, name=name)


@dataclass(frozen=True, eq=False, repr=False)
class FamilyPick(Shown):
    """Pick of the policy of an instance's family.

    Parameters
    ----------
    families
        The families.
    aside
        Policy for instances of no family, and for models that are no instances; None leaves them
        to SCIP.
    """

    families: tuple[Family, ...]
    aside: str | None

    def __call__(self, instance: Instance) -> str:
        """Return the policy of the nearest family that holds the instance."""
        return self.explained(instance)[0]

    def explained(self, instance: Instance) -> tuple[str, PickReason, str]:
        """Return the policy, the reason and the family, or the nearest one and what excludes it."""
        features = family_features(instance)
        holding = [family for family in self.families if family.holds(features)]
        if holding:
            family = min(holding, key=lambda f: f.distance(features))
            return family.policy, PickReason.FAMILY, family.name
        detail = ""
        if self.families:
            family = min(self.families, key=lambda f: f.distance(features))
            outside = tuple(family.outside(features))
            more = f" and {len(outside) - _SHOWN} more" if len(outside) > _SHOWN else ""
            detail = f"nearest {family.name}, outside in {', '.join(outside[:_SHOWN])}{more}"
        return self.aside or SCIPS_DEFAULT, PickReason.NO_FAMILY, detail


@checked
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
        for family in _families(families)
    ]
    content = {"format": FORMAT, "version": FAMILIES_VERSION, "families": entries}
    atomic_write_json(path, content)


def _families(families: object) -> tuple[Family, ...]:
    several = tuple(listed(families, "families"))
    for family in several:
        if not isinstance(family, Family):
            raise ParameterError(f"a family is {given(family)}; give a milplib.policies.Family")
    return several


@checked
def read_families(path: str | os.PathLike[str], *, allow: Iterable[str] = ()) -> tuple[Family, ...]:
    """Read families from a JSON file.

    Parameters
    ----------
    path
        The file.
    allow
        Modules that it may name for policies, as in ``package.module:name``. `portfolio_of`
        imports them.

    Raises
    ------
    PolicyError
        If the file is missing, damaged, of another version, or names another module.
    """
    allowed = tuple(allow)
    try:
        content = read_json(path)
        if content["format"] != FORMAT or content["version"] != FAMILIES_VERSION:
            raise PolicyError(f"{path} is no families file that this milplib can read")
        entries = conforming(content["families"], list[_FamilyEntry], name="families")
        families = tuple(map(_family, entries))
        for family in families:
            if find_rule(family.policy) is None:
                check_named(family.policy, role="policy", allowed=allowed)
    except OSError as error:
        raise PolicyError(
            f"cannot read the families in {path}: {error.strerror or error}"
        ) from error
    except (ValueError, KeyError, TypeError, ParameterError) as error:
        raise PolicyError(f"cannot read the families in {path}: {error!r}") from error
    return families


def _family(entry: _FamilyEntry) -> Family:
    lower, upper = (
        np.array([side[feature] for feature in FAMILY_FEATURES], dtype=np.float64)
        for side in (entry["lower"], entry["upper"])
    )
    return Family(name=entry["name"], policy=entry["policy"], lower=lower, upper=upper)
