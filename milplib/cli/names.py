"""Names for the help texts, from the registries: what ships with milplib, and what is built in.

Commands that need them are imported on use (`milplib.cli.app`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from cyclopts import Parameter

from milplib.policies import AUTO, pretrained_names
from milplib.scip import BLOCKS

__all__ = ["POLICIES", "SHIPPED", "PolicyName", "known_blocks"]


def known_blocks() -> str:
    """List the built-in blocks.

    Examples
    --------
    >>> known_blocks()
    '``khalil``, ``pseudocost``, ``tree``'
    """
    return _listed(BLOCKS)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"``{name}``" for name in sorted(names))


SHIPPED = _listed(pretrained_names())
"""Names of the shipped policies."""

POLICIES = (
    f"``{AUTO}``, which picks by the instance's family; a shipped policy ({SHIPPED}); a branching "
    "rule of SCIP, with or without parameters (``relpscost:maxreliable=1``); a policy file; "
    "``package.module:name`` for a function ``state -> scores`` or a policy of your own"
)
"""What an option may name that takes a policy."""

PolicyName = Annotated[str, Parameter(help=f"The policy: {POLICIES}.")]
"""Option for one policy."""
