"""The policies that milplib ships, by name, and the one that picks among them."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from milplib.errors import PolicyError
from milplib.files import file_sha256
from milplib.policies.combinations import AnyPolicy, Portfolio
from milplib.policies.families import Family, portfolio_of, read_families

__all__ = [
    "AUTO",
    "auto_digest",
    "auto_policy",
    "pretrained_card",
    "pretrained_families",
    "pretrained_file",
    "pretrained_names",
    "pretrained_or_given",
]

AUTO = "auto"
"""Name of the policy that picks by the instance's family."""

_FOLDER = Path(__file__).parent / "shipped"
_FAMILIES = "families.json"
_SUFFIX = ".safetensors"
_LOG = logging.getLogger("milplib")


def pretrained_names() -> tuple[str, ...]:
    """Names of the policies that are shipped, for `milplib.load_policy`.

    Examples
    --------
    >>> all(pretrained_card(name) for name in pretrained_names())
    True
    """
    return tuple(sorted(path.stem for path in _FOLDER.glob(f"*{_SUFFIX}")))


def pretrained_file(name: str) -> Path:
    """Give the file of a shipped policy.

    Raises
    ------
    PolicyError
        If none has this name.
    """
    if name not in pretrained_names():
        known = ", ".join(pretrained_names())
        raise PolicyError(f"no policy named '{name}' is shipped; there are {known}")
    return _FOLDER / f"{name}{_SUFFIX}"


def pretrained_or_given(policy: object) -> object:
    """Give the file of a shipped policy for its name, and anything else as it is.

    Examples
    --------
    >>> pretrained_or_given("relpscost")
    'relpscost'
    """
    is_shipped = isinstance(policy, str) and policy in pretrained_names()
    return _FOLDER / f"{policy}{_SUFFIX}" if is_shipped else policy


def pretrained_card(name: str) -> str:
    """Give the card of a shipped policy, in Markdown: its training, results, limits.

    Raises
    ------
    PolicyError
        If none has this name.
    """
    return pretrained_file(name).with_suffix(".md").read_text(encoding="utf-8")


def pretrained_families() -> tuple[Family, ...]:
    """Give the families that ``auto`` knows, each with its policy.

    Raises
    ------
    PolicyError
        If the shipped file is damaged.
    """
    return read_families(_FOLDER / _FAMILIES)


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
    from milplib.policies.loading import load_policy  # which knows this module

    families = pretrained_families()
    policies: dict[str, AnyPolicy] = {}
    for name in dict.fromkeys(family.policy for family in families):
        try:
            policies[name] = load_policy(name)
        except PolicyError as error:
            _LOG.warning("'%s' leaves what is for '%s' to SCIP: %s", AUTO, name, error)
    usable = [family for family in families if family.policy in policies]
    return portfolio_of(usable, policies=policies, name=AUTO)


def auto_digest() -> str:
    """SHA-256 of all that decides what `auto_policy` does."""
    files = sorted((_FOLDER / _FAMILIES, *map(pretrained_file, pretrained_names())))
    digests = "".join(f"{path.name} {file_sha256(path)}\n" for path in files)
    return hashlib.sha256(digests.encode()).hexdigest()
