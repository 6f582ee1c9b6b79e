"""What a policy file says about the instances that it was trained on and chosen by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["INSTANCE_HASHES", "instance_hashes", "seen_in"]

INSTANCE_HASHES = "instance_hashes"
"""Name of the entry in ``provenance["data"]`` of a policy file."""

DIGITS = 16
"""Hexadecimal digits of a content hash that a policy file keeps: among a million instances two
agree in them with a probability below 1e-7."""

_ROLES = ("training", "validation")


def instance_hashes(
    *, training: Iterable[str], validation: Iterable[str]
) -> dict[str, dict[str, list[str]]]:
    """Make the entry of a policy file that says which instances it has seen.

    Parameters
    ----------
    training, validation
        Content hashes of the instances (`milplib.Instance.content_hash`).

    Returns
    -------
    dict
        To be merged into ``provenance["data"]``; equal sets of instances give equal entries.

    Examples
    --------
    >>> instance_hashes(training=["f" * 64, "0" * 64], validation=[])
    {'instance_hashes': {'training': ['0000000000000000', 'ffffffffffffffff'], 'validation': []}}
    """
    both = zip(_ROLES, (training, validation), strict=True)
    return {INSTANCE_HASHES: {role: sorted({h[:DIGITS] for h in found}) for role, found in both}}


def seen_in(provenance: Mapping[str, Any], content_hash: str) -> str:
    """Tell whether a policy has seen an instance before.

    Parameters
    ----------
    provenance
        Of the policy file; one without the entry has seen nothing that is known of.
    content_hash
        Of the instance.

    Returns
    -------
    str
        ``"training"``, ``"validation"``, or empty.

    Examples
    --------
    >>> known = {"data": instance_hashes(training=["ab" * 32], validation=[])}
    >>> seen_in(known, "ab" * 32), seen_in(known, "cd" * 32), seen_in({}, "ab" * 32)
    ('training', '', '')
    """
    # Whatever stands in a file that somebody else wrote.
    data = provenance.get("data")
    entry = data.get(INSTANCE_HASHES) if isinstance(data, Mapping) else None
    known = entry if isinstance(entry, Mapping) else {}
    for role in _ROLES:
        found = known.get(role)
        if isinstance(found, list) and content_hash[:DIGITS] in found:
            return role
    return ""
