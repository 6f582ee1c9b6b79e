"""From what a user names to a policy: a rule, a file, a function, a policy."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from milplib.errors import ParameterError, PolicyError, UnknownNameError
from milplib.named import named_object
from milplib.policies.combinations import AnyPolicy, Portfolio, Switch
from milplib.policies.file import PolicyFile, read_policy
from milplib.policies.forest import ForestPolicy
from milplib.policies.gcnn import GcnnPolicy
from milplib.policies.policy import FunctionPolicy, Policy, ScipRule
from milplib.policies.pretrained import AUTO, auto_policy, pretrained_names, pretrained_or_given
from milplib.policies.ranking import LinearPolicy
from milplib.policies.rules import find_rule, scip_rule_names
from milplib.scip.state_functions import StateFunction

__all__ = ["ARCHITECTURES", "load_policy", "policy_of"]

_FilePolicy = GcnnPolicy | LinearPolicy | ForestPolicy

ARCHITECTURES: dict[str, type[_FilePolicy]] = {
    "gcnn": GcnnPolicy,
    "linear": LinearPolicy,
    "forest": ForestPolicy,
}
"""What turns a policy file into a policy, by the name of its architecture."""

SUFFIX = ".safetensors"


def load_policy(policy: object, *, blocks: Iterable[StateFunction] = ()) -> AnyPolicy:
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

    Returns
    -------
    Policy, ScipRule, Switch or Portfolio
        What `milplib.include_policy` takes; it has a ``name``.

    Raises
    ------
    UnknownNameError
        If a name is neither that of a rule nor of a file; the message suggests the nearest ones.
    PolicyError
        If a file is not a policy that this milplib can use.
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
            return load_policy(named_object(policy, kind="policy"), blocks=blocks)
        if not (policy.endswith(SUFFIX) or os.sep in policy or Path(policy).is_file()):
            raise UnknownNameError(
                "policy",
                policy,
                (*scip_rule_names(), AUTO, *pretrained_names()),
                hint=f"(a policy file ends in {SUFFIX})",
            )
    if isinstance(policy, str | os.PathLike):
        path = Path(policy)
        return policy_of(read_policy(path), name=path.stem, blocks=blocks)
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
    content: PolicyFile, *, name: str, blocks: Iterable[StateFunction] = ()
) -> _FilePolicy:
    """Make the policy that a file's content describes.

    Raises
    ------
    PolicyError
        If the architecture is not known, or the tensors do not fit it.
    """
    if content.architecture not in ARCHITECTURES:
        raise PolicyError(
            f"the policy '{name}' has the architecture '{content.architecture}'; this milplib "
            f"knows {', '.join(ARCHITECTURES)}"
        )
    return ARCHITECTURES[content.architecture](content, name=name, blocks=tuple(blocks))
