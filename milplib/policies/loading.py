"""Loading of policies from names, files, functions and objects."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from milplib.arguments import checked, given, listed
from milplib.errors import ParameterError, PolicyError, UnknownNameError
from milplib.named import load_object
from milplib.policies.combinations import AnyPolicy, Portfolio, Switch, resolve_names_with
from milplib.policies.families import portfolio_of
from milplib.policies.file import PolicyFile, read_policy
from milplib.policies.model_kinds import (
    NETWORK,
    ModelKind,
    Scorer,
    declared_network,
    find_model_kind,
    find_scorer,
    model_kinds,
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
from milplib.scip.blocks import load_state_functions
from milplib.scip.state_functions import StateFunction

__all__ = ["ARCHITECTURES", "auto_policy", "load_policy", "policy_of"]

SUFFIX = ".safetensors"

_LOG = logging.getLogger("milplib")


class _Architectures(Mapping[str, Scorer]):
    """Lazy mapping of the scorers of all declared kinds of models."""

    def __getitem__(self, name: str) -> Scorer:
        scorer = find_scorer(name)
        if scorer is None:
            raise KeyError(name)
        return scorer

    def __iter__(self) -> Iterator[str]:
        return iter({name: None for kind in model_kinds().values() for name in kind.scorers})

    def __len__(self) -> int:
        return len(list(iter(self)))


ARCHITECTURES: Mapping[str, Scorer] = _Architectures()
"""Scorers by architecture. A scorer makes a policy from the content of a policy file."""


@checked
def load_policy(
    policy: object,
    *,
    blocks: Iterable[str | StateFunction] = (),
    models: Iterable[object] = (),
) -> AnyPolicy:
    """Load a policy from a name, a file, a function or an object.

    Parameters
    ----------
    policy
        One of

        - the name of a SCIP rule, optionally with parameters under SCIP's names
          (``"relpscost:maxreliable=1,initcand=10"``);
        - the name of a shipped policy (`milplib.policies.pretrained_names`);
        - ``"auto"``, which picks a shipped policy by the instance's family, and SCIP's default rule
          for instances of no family;
        - the path of a policy file;
        - ``"package.module:name"`` of your own function or policy;
        - a Python function ``state -> scores``;
        - a `milplib.policies.Policy`, `ScipRule`, `Switch` or `Portfolio`.
    blocks
        User-defined state functions that a policy file reads: objects, or their names, as
        ``"package.module:Name"``.
    models
        User-defined models of policy files: torch modules or `milplib.policies.ModelKind`, or their
        names, as ``"package.module:Net"``. A policy file only names its class, and milplib never
        imports a module that only a file names.

    Returns
    -------
    Policy, ScipRule, Switch or Portfolio
        Policy for `milplib.include_policy`; its ``name`` identifies it in results.

    Raises
    ------
    UnknownNameError
        If a name is neither a rule, a shipped policy nor a file; the message suggests similar
        names.
    PolicyError
        If a file is not a policy that this milplib can use, or its class was not passed.
    ParameterError
        If a module has no such attribute, or the object is none of the above.

    Examples
    --------
    >>> load_policy("relpscost").name
    'relpscost'
    >>> load_policy(lambda state: state.candidates).score is not None
    True
    """
    blocks, models = load_state_functions(blocks), listed(models, "models")
    if isinstance(policy, str):
        # The name of a rule means the rule, even if a file has the same name.
        if (rule := find_rule(policy)) is not None:
            return rule
        if policy == AUTO:
            return auto_policy()
        policy = pretrained_or_given(policy)
    if isinstance(policy, str):
        module, colon, _ = policy.partition(":")
        if colon and module.replace(".", "").isidentifier() and not Path(policy).exists():
            return load_policy(load_object(policy, role="policy"), blocks=blocks, models=models)
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
        own = tuple(map(find_model_kind, models))
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
        f"{given(policy)} is not a policy: give the name of a SCIP rule, a policy file, a function "
        "of the state, or an object with name, state_functions and score(state)"
    )


def policy_of(
    content: PolicyFile,
    *,
    name: str,
    blocks: Iterable[StateFunction] = (),
    models: Iterable[ModelKind] = (),
    where: str = "",
) -> Policy:
    """Make a policy from the content of a policy file.

    Parameters
    ----------
    content
        Content of the file.
    name
        Name for results.
    blocks, models
        User-defined state functions and models.
    where
        Path of the file, for error messages.

    Raises
    ------
    PolicyError
        If the architecture is unknown, the tensors do not fit it, or the class of the policy was
        not passed.
    """
    models = tuple(models)
    scorer = find_scorer(content.architecture, models)
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
    """Find the class of a policy among those that the user or an installed package names."""
    named = str(content.hyperparameters.get("network", ""))
    own = {network_name(kind.network): kind.network for kind in models if kind.network}
    network = own.get(named) or registered_network(named) or declared_network(named)
    if network is None:
        passed = f"; given: {', '.join(own)}" if own else ""
        raise PolicyError(
            f"{where} is of the torch module {named}, which was not given{passed}: call "
            f"load_policy(…, models=[{named.rpartition(':')[2]}]), or add --network {named}"
        )
    return network


def auto_policy() -> Portfolio:
    """Make the policy ``auto``, which picks by the instance's family.

    The policy of a family is a shipped policy, or a SCIP rule if no learned policy was better.
    Instances of no family get SCIP's default rule. In a model of PySCIPOpt, ``auto`` leaves
    branching to the model's rules if the instance is of no family, or if the model has more than
    linear rows. If the shipped policies do not support the
    installed SCIP version, all instances get SCIP's default rule, and a warning is logged.

    Returns
    -------
    Portfolio
        Portfolio that picks by the arrays of the instance before presolving.

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
            _LOG.warning("'%s' uses SCIP's default rule instead of '%s': %s", AUTO, name, error)
    usable = [family for family in families if family.policy in policies]
    return portfolio_of(usable, otherwise=None, policies=policies, name=AUTO)


resolve_names_with(load_policy)
