"""Policies made of policies: one after another in a tree, or one for each kind of instance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from milplib.errors import ParameterError, PolicyError
from milplib.policies.policy import Policy, ScipRule

if TYPE_CHECKING:
    from milplib.instance import Instance

__all__ = ["AnyPolicy", "Portfolio", "Switch", "parts", "resolve_names_with"]

AnyPolicy: TypeAlias = "Policy | ScipRule | Switch | Portfolio"
"""All that `milplib.include_policy` understands."""


def _unresolved(policy: object) -> AnyPolicy:
    raise NotImplementedError("nothing says yet what names of policies mean")


_resolve: Callable[[object], AnyPolicy] = _unresolved


def resolve_names_with(resolve: Callable[[object], AnyPolicy]) -> None:
    """Say what names of policies mean, for all combinations.

    `milplib.load_policy` sets itself: it knows combinations, so they cannot know it.
    """
    global _resolve
    _resolve = resolve


class Switch:
    """One policy at first, another one from a depth or a number of nodes on.

    Parameters
    ----------
    first, then
        The policies: whatever `milplib.load_policy` takes, other combinations too.
    depth
        `first` decides at nodes of a smaller depth (the root has depth 0).
    nodes
        `first` decides while fewer nodes have been processed, over all restarts, the current
        one included. At least one of the two limits is needed; with both, either ends it.

    Raises
    ------
    ParameterError
        If there is no limit, or one that is not positive.

    Examples
    --------
    >>> Switch("vanillafullstrong", "pscost", depth=3).name
    'vanillafullstrong to depth 3, then pscost'
    """

    name: str

    def __init__(
        self, first: object, then: object, *, depth: int | None = None, nodes: int | None = None
    ) -> None:
        limits = {"depth": depth, "nodes": nodes}
        given = {key: limit for key, limit in limits.items() if limit is not None}
        if not given:
            raise ParameterError("a Switch needs a limit: depth=… or nodes=…")
        for key, limit in given.items():
            if limit < 1:
                raise ParameterError(f"the limit {key} of a Switch is {limit}; it must be positive")
        self.first: AnyPolicy = _resolve(first)
        self.then: AnyPolicy = _resolve(then)
        self.depth, self.nodes = depth, nodes
        words = " or ".join(
            f"{limit} nodes" if key == "nodes" else f"depth {limit}" for key, limit in given.items()
        )
        self.name = f"{self.first.name} to {words}, then {self.then.name}"

    def at(self, *, depth: int, nodes: int) -> AnyPolicy:
        """Tell which policy decides at a node."""
        over = (self.depth is not None and depth >= self.depth) or (
            self.nodes is not None and nodes > self.nodes
        )
        return self.then if over else self.first


class Portfolio:
    """The policy that a function picks for an instance.

    Parameters
    ----------
    pick
        Takes a `milplib.Instance`, gives a key of `policies`.
    policies
        Policies by key: whatever `milplib.load_policy` takes, other combinations too.
    name
        A name for results.

    Raises
    ------
    ParameterError
        If there are no policies.

    Examples
    --------
    >>> portfolio = Portfolio(
    ...     lambda instance: "large" if instance.n_columns > 10_000 else "small",
    ...     {"small": "vanillafullstrong", "large": "pscost"})
    >>> from milplib.generators import from_name
    >>> portfolio.picked(from_name("SC-easy").generate(seed=0)).name
    'vanillafullstrong'
    """

    name: str

    def __init__(
        self,
        pick: Callable[[Instance], str],
        policies: Mapping[str, object],
        *,
        name: str = "portfolio",
    ) -> None:
        if not policies:
            raise ParameterError("a Portfolio needs policies to pick from")
        self.pick = pick
        self.policies = MappingProxyType(
            {key: _resolve(policy) for key, policy in policies.items()}
        )
        self.name = name

    def picked(self, instance: Instance) -> AnyPolicy:
        """Pick the policy for an instance.

        Raises
        ------
        PolicyError
            If the function gives no key of the portfolio's.
        """
        key = self.pick(instance)
        try:
            return self.policies[key]
        except (KeyError, TypeError):
            raise PolicyError(
                f"the portfolio '{self.name}' was to pick one of {', '.join(self.policies)}, its "
                f"function gave {key!r}"
            ) from None


def parts(policy: AnyPolicy) -> Iterator[Policy | ScipRule]:
    """Give the policies that a combination is made of, or the policy itself.

    Examples
    --------
    >>> [part.name for part in parts(Switch("mostinf", "pscost", depth=1))]
    ['mostinf', 'pscost']
    """
    if isinstance(policy, Switch):
        yield from parts(policy.first)
        yield from parts(policy.then)
    elif isinstance(policy, Portfolio):
        for each in policy.policies.values():
            yield from parts(each)
    else:
        yield policy
