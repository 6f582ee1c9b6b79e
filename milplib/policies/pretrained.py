"""Shipped policies by name, and the families of instances that they are for."""

from __future__ import annotations

import hashlib
from pathlib import Path

from milplib.arguments import checked
from milplib.errors import PolicyError
from milplib.files import file_sha256
from milplib.policies.families import Family, read_families

__all__ = [
    "AUTO",
    "auto_digest",
    "pretrained_card",
    "pretrained_families",
    "pretrained_file",
    "pretrained_names",
    "pretrained_or_given",
]

AUTO = "auto"
"""Name of the policy that picks a shipped policy by the instance's family."""

_FOLDER = Path(__file__).parent / "shipped"
_FAMILIES = "families.json"
_SUFFIX = ".safetensors"


def pretrained_names() -> tuple[str, ...]:
    """List the names of the shipped policies, for `milplib.load_policy`.

    Examples
    --------
    >>> all(pretrained_card(name) for name in pretrained_names())
    True
    """
    return tuple(sorted(path.stem for path in _FOLDER.glob(f"*{_SUFFIX}")))


@checked
def pretrained_file(name: str) -> Path:
    """Return the path of a shipped policy.

    Raises
    ------
    PolicyError
        If no shipped policy has this name.
    """
    if name not in pretrained_names():
        known = ", ".join(pretrained_names())
        raise PolicyError(f"no policy named '{name}' is shipped; there are {known}")
    return _FOLDER / f"{name}{_SUFFIX}"


def pretrained_or_given(policy: object) -> object:
    """Replace the name of a shipped policy by its path; return any other value unchanged.

    Examples
    --------
    >>> pretrained_or_given("relpscost")
    'relpscost'
    """
    is_shipped = isinstance(policy, str) and policy in pretrained_names()
    return _FOLDER / f"{policy}{_SUFFIX}" if is_shipped else policy


@checked
def pretrained_card(name: str) -> str:
    """Return the card of a shipped policy in Markdown: training, results and limits.

    Raises
    ------
    PolicyError
        If no shipped policy has this name.
    """
    return pretrained_file(name).with_suffix(".md").read_text(encoding="utf-8")


def pretrained_families() -> tuple[Family, ...]:
    """Return the families of ``auto``, each with its policy.

    Raises
    ------
    PolicyError
        If the shipped file is damaged.
    """
    return read_families(_FOLDER / _FAMILIES)


def auto_digest() -> str:
    """Return a SHA-256 of the files that `milplib.policies.auto_policy` depends on."""
    files = sorted((_FOLDER / _FAMILIES, *map(pretrained_file, pretrained_names())))
    digests = "".join(f"{path.name} {file_sha256(path)}\n" for path in files)
    return hashlib.sha256(digests.encode()).hexdigest()
