"""Combinations of policies: a switch during the solve, or a choice by instance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from milplib.arguments import checked, given
from milplib.display import Shown
from milplib.errors import ParameterError, PolicyError
from milplib.policies.picked import Picked, PickReason
from milplib.policies.policy import Policy, ScipRule

if TYPE_CHECKING:
    from milplib.instance import Instance

__all__ = [
    "AnyPolicy",
    "ExplainedPick",
    "Portfolio",
    "Switch",
    "parts",
    "resolve_names_with",
]

AnyPolicy: TypeAlias = "Policy | ScipRule | Switch | Portfolio"
"""Types of policies that `milplib.include_policy` supports."""


def _unresolved(policy: object) -> AnyPolicy:
    raise PolicyError(
        "names of policies in a combination have no meaning yet: import milplib.policies first"
    )


_resolve: Callable[[object], AnyPolicy] = _unresolved


def resolve_names_with(resolve: Callable[[object], AnyPolicy]) -> None:
    """Set the function that resolves names of policies in combinations.

    `milplib.load_policy` registers itself here. It imports this module, so this module cannot
    import it.
    """
    global _resolve
    _resolve = resolve


class Switch(Shown):
    """A policy that is replaced by another one at a depth or after a number of nodes.

    At least one of the limits `depth` and `nodes` is required. With both, `first` decides only
    within both limits.

    Parameters
    ----------
    first, then
        Policies: any values that `milplib.load_policy` accepts, including combinations.
    depth
        Depth from which `then` decides (the root has depth 0).
    nodes
        Number of processed nodes up to which `first` decides, over all restarts and including the
        current node.

    Raises
    ------
    ParameterError
        If no limit is set, or a limit is not positive.

    Examples
    --------
    >>> Switch("vanillafullstrong", "pscost", depth=3).name
    'vanillafullstrong to depth 3, then pscost'
    """

    name: str

    @checked
    def __init__(
        self, first: object, then: object, *, depth: int | None = None, nodes: int | None = None
    ) -> None:
        limits = {"depth": depth, "nodes": nodes}
        limits_set = {key: limit for key, limit in limits.items() if limit is not None}
        if not limits_set:
            raise ParameterError("a Switch needs a limit: depth=… or nodes=…")
        for key, limit in limits_set.items():
            if limit < 1:
                raise ParameterError(f"the limit {key} of a Switch is {limit}; it must be positive")
        self.first: AnyPolicy = _resolve(first)
        self.then: AnyPolicy = _resolve(then)
        self.depth, self.nodes = depth, nodes
        words = " or ".join(
            f"{limit} nodes" if key == "nodes" else f"depth {limit}"
            for key, limit in limits_set.items()
        )
        self.name = f"{self.first.name} to {words}, then {self.then.name}"

    def _facts(self) -> dict[str, object]:
        return {"name": self.name}

    def at(self, *, depth: int, nodes: int) -> AnyPolicy:
        """Return the policy that decides at a node."""
        over = (self.depth is not None and depth >= self.depth) or (
            self.nodes is not None and nodes > self.nodes
        )
        return self.then if over else self.first


@runtime_checkable
class ExplainedPick(Protocol):
    """Function of a portfolio that explains its picks, and steps aside where it cannot pick."""

    @property
    def aside(self) -> str | None:
        """Key of the policy for models that are no instances; None leaves them to SCIP."""
        ...

    def __call__(self, instance: Instance) -> str:
        """Return the key of the policy for an instance."""
        ...

    def explained(self, instance: Instance) -> tuple[str, PickReason, str]:
        """Return the key, the reason and further words."""
        ...


class Portfolio(Shown):
    """A set of policies with a function that picks one for each instance.

    Parameters
    ----------
    pick
        Function that takes a `milplib.Instance` and returns a key of `policies`.
    policies
        Policies by key: any values that `milplib.load_policy` accepts, including combinations.
    name
        Name for results.

    Raises
    ------
    ParameterError
        If `policies` is empty.

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

    @checked
    def __init__(
        self,
        pick: Callable[[Instance], str],
        policies: Mapping[str, object],
        *,
        name: str = "portfolio",
    ) -> None:
        if not isinstance(policies, Mapping):
            raise ParameterError(
                f"the policies of a Portfolio are {given(policies)}; give a dict of policies by key"
            )
        if not policies:
            raise ParameterError("a Portfolio needs policies to pick from")
        self.pick = pick
        self.policies = MappingProxyType(
            {key: _resolve(policy) for key, policy in policies.items()}
        )
        self.name = name

    def _facts(self) -> dict[str, object]:
        return {"name": self.name, "policies": [policy.name for policy in self.policies.values()]}

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"policies": dict(self.policies)}  # pickle knows no proxies

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, policies=MappingProxyType(state["policies"]))

    def picked(self, instance: Instance) -> AnyPolicy:
        """Pick the policy for an instance.

        Raises
        ------
        PolicyError
            If the function does not return a key of the portfolio.
        """
        return self.explained(instance)[0]

    def explained(self, instance: Instance) -> tuple[AnyPolicy, Picked]:
        """Pick the policy for an instance, and say why.

        Raises
        ------
        PolicyError
            If the function does not return a key of the portfolio.

        Examples
        --------
        >>> from milplib.generators import from_name
        >>> portfolio = Portfolio(lambda instance: "any", {"any": "pscost"})
        >>> print(portfolio.explained(from_name("SC-easy").generate(seed=0))[1])
        pscost (function: any)
        """
        if isinstance(self.pick, ExplainedPick):
            key, reason, detail = self.pick.explained(instance)
        else:
            key = self.pick(instance)
            reason, detail = PickReason.FUNCTION, str(key)
        try:
            policy = self.policies[key]
        except (KeyError, TypeError):
            raise PolicyError(
                f"the portfolio '{self.name}' was to pick one of {', '.join(self.policies)}, its "
                f"function gave {key!r}"
            ) from None
        return policy, Picked(policy=policy.name, reason=reason, detail=detail)


def parts(policy: AnyPolicy) -> Iterator[Policy | ScipRule]:
    """Yield the policies of a combination, or the policy itself.

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
