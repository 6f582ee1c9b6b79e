"""From what a user names to a policy: a rule, a file, a function, a policy."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from milplib.errors import ParameterError, PolicyError, UnknownNameError
from milplib.named import named_object
from milplib.policies.combinations import AnyPolicy, Portfolio, Switch, resolve_names_with
from milplib.policies.families import portfolio_of
from milplib.policies.file import PolicyFile, read_policy
from milplib.policies.model_kinds import (
    NETWORK,
    ModelKind,
    Scorer,
    declared_network,
    model_kind,
    model_kinds,
    scorer_of,
)
from milplib.policies.networks import network_name, registered_network
from milplib.policies.policy import FunctionPolicy, Policy, ScipRule
from milplib.policies.pretrained import (
    AUTO,
    pretrained_families,
    pretrained_names,
    pretrained_or_given,
)
from milplib.policies.rules import find_rule, scip_rule_names
from milplib.scip.state_functions import StateFunction

__all__ = ["ARCHITECTURES", "auto_policy", "load_policy", "policy_of"]

SUFFIX = ".safetensors"

_LOG = logging.getLogger("milplib")


class _Architectures(Mapping[str, Scorer]):
    """The scorers of all kinds of models that installed packages declare."""

    def __getitem__(self, name: str) -> Scorer:
        scorer = scorer_of(name)
        if scorer is None:
            raise KeyError(name)
        return scorer

    def __iter__(self) -> Iterator[str]:
        return iter({name: None for kind in model_kinds().values() for name in kind.scorers})

    def __len__(self) -> int:
        return len(list(iter(self)))


ARCHITECTURES: Mapping[str, Scorer] = _Architectures()
"""What turns a policy file into a policy, by the name of its architecture."""


def load_policy(
    policy: object, *, blocks: Iterable[StateFunction] = (), models: Iterable[object] = ()
) -> AnyPolicy:
    """Make a policy of what names or is one.

    Parameters
    ----------
    policy
        The name of a branching rule of SCIP's, with parameters of SCIP's own names or without
        (``"relpscost:maxreliable=1,initcand=10"``); the name of a policy that is shipped
        (`milplib.policies.pretrained_names`), or ``"auto"``, which picks one of them by the
        instance's family, and SCIP's own rule for the rest; the path of a policy file;
        ``"package.module:name"`` for a function or a policy of one's own; a Python function
        ``state -> scores``; a `milplib.policies.Policy`, `Switch` or `Portfolio`.
    blocks
        State functions of one's own that a policy file reads.
    models
        Models of one's own that a policy file may be of: torch modules or
        `milplib.policies.ModelKind`, or their names, as ``"package.module:Net"``. A policy file
        only names its class, and milplib imports none because a file says so.

    Returns
    -------
    Policy, ScipRule, Switch or Portfolio
        What `milplib.include_policy` takes; it has a ``name``.

    Raises
    ------
    UnknownNameError
        If a name is neither that of a rule nor of a file; the message suggests the nearest ones.
    PolicyError
        If a file is not a policy that this milplib can use, or is of a class that was not given.
    ParameterError
        If a module has no such attribute, or the object is none of these.

    Examples
    --------
    >>> load_policy("relpscost").name
    'relpscost'
    >>> load_policy(lambda state: state.candidates).score is not None
    True
    """
    if isinstance(policy, str):
        # A file beside the command may have any name, but a rule's name means the rule.
        if (rule := find_rule(policy)) is not None:
            return rule
        if policy == AUTO:
            return auto_policy()
        policy = pretrained_or_given(policy)
    if isinstance(policy, str):
        module, colon, _ = policy.partition(":")
        if colon and module.replace(".", "").isidentifier() and not Path(policy).exists():
            return load_policy(named_object(policy, kind="policy"), blocks=blocks, models=models)
        if not (policy.endswith(SUFFIX) or os.sep in policy or Path(policy).is_file()):
            raise UnknownNameError(
                "policy",
                policy,
                (*scip_rule_names(), AUTO, *pretrained_names()),
                hint=f"(a policy file ends in {SUFFIX})",
            )
    if isinstance(policy, str | os.PathLike):
        path = Path(policy)
        content = read_policy(path)
        own = tuple(map(model_kind, models))
        return policy_of(content, name=path.stem, blocks=blocks, models=own, where=str(path))
    if isinstance(policy, ScipRule | Switch | Portfolio):
        return policy
    if isinstance(policy, type):
        raise ParameterError(f"{policy!r} is a class; make a policy of it first")
    if isinstance(policy, Policy):
        return policy
    if callable(policy):
        return FunctionPolicy(policy)
    raise ParameterError(
        f"{policy!r} is not a policy: give the name of a SCIP rule, a policy file, a function of "
        "the state, or an object with name, state_functions and score(state)"
    )


def policy_of(
    content: PolicyFile,
    *,
    name: str,
    blocks: Iterable[StateFunction] = (),
    models: Iterable[ModelKind] = (),
    where: str = "",
) -> Policy:
    """Make the policy that a file's content describes.

    Parameters
    ----------
    content
        The content.
    name
        A name for results.
    blocks, models
        State functions and models of a user's own.
    where
        The file, for messages.

    Raises
    ------
    PolicyError
        If the architecture is not known, the tensors do not fit it, or the policy is of a class
        that was not given.
    """
    models = tuple(models)
    scorer = scorer_of(content.architecture, models)
    if scorer is None:
        raise PolicyError(
            f"the policy '{name}' has the architecture '{content.architecture}'; this milplib "
            f"knows {', '.join(ARCHITECTURES)}"
        )
    if content.architecture == NETWORK:
        network = _network_of(content, models, where=where or f"the policy '{name}'")
        return scorer(content, name=name, blocks=tuple(blocks), network=network)
    return scorer(content, name=name, blocks=tuple(blocks))


def _network_of(content: PolicyFile, models: Iterable[ModelKind], *, where: str) -> type[Any]:
    """Find the class of a policy among those that the user, or an installed package, named."""
    named = str(content.hyperparameters.get("network", ""))
    own = {network_name(kind.network): kind.network for kind in models if kind.network}
    network = own.get(named) or registered_network(named) or declared_network(named)
    if network is None:
        given = f"; given: {', '.join(own)}" if own else ""
        raise PolicyError(
            f"{where} is of the torch module {named}, which was not given{given}: call "
            f"load_policy(…, models=[{named.rpartition(':')[2]}]), or add --network {named}"
        )
    return network


def auto_policy() -> Portfolio:
    """Make the policy ``auto``: of the family that an instance belongs to, else SCIP's own.

    A family's policy may be one of those shipped, or a rule of SCIP's where no learned one was
    better. With a SCIP that the shipped policies are not made for, all go to SCIP's own rule,
    which is logged.

    Returns
    -------
    Portfolio
        It picks by the arrays of the instance as they stand before presolving.

    Raises
    ------
    PolicyError
        If the shipped files are damaged.
    """
    families = pretrained_families()
    policies: dict[str, AnyPolicy] = {}
    for name in dict.fromkeys(family.policy for family in families):
        try:
            policies[name] = load_policy(name)
        except PolicyError as error:
            _LOG.warning("'%s' leaves what is for '%s' to SCIP: %s", AUTO, name, error)
    usable = [family for family in families if family.policy in policies]
    return portfolio_of(usable, policies=policies, name=AUTO)


resolve_names_with(load_policy)
