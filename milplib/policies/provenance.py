"""Record of a policy's training and validation instances in its file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["INSTANCE_HASHES", "instance_hashes", "seen_in"]

INSTANCE_HASHES = "instance_hashes"
"""Name of the entry in ``provenance["data"]`` of a policy file."""

DIGITS = 16
"""Number of hexadecimal digits of a content hash in a policy file. The probability that two of a
million instances agree in them is below 1e-7."""

_ROLES = ("training", "validation")


def instance_hashes(
    *, training: Iterable[str], validation: Iterable[str]
) -> dict[str, dict[str, list[str]]]:
    """Make the entry of a policy file that records its training and validation instances.

    Parameters
    ----------
    training, validation
        Content hashes of the instances (`milplib.Instance.content_hash`).

    Returns
    -------
    dict
        Entry to merge into ``provenance["data"]``. Equal sets of instances give equal entries.

    Examples
    --------
    >>> instance_hashes(training=["f" * 64, "0" * 64], validation=[])
    {'instance_hashes': {'training': ['0000000000000000', 'ffffffffffffffff'], 'validation': []}}
    """
    both = zip(_ROLES, (training, validation), strict=True)
    return {INSTANCE_HASHES: {role: sorted({h[:DIGITS] for h in hashes}) for role, hashes in both}}


def seen_in(provenance: Mapping[str, Any], content_hash: str) -> str:
    """Return whether a policy was trained or validated on an instance.

    Parameters
    ----------
    provenance
        Provenance in the policy file. Without the entry, no instance counts as seen.
    content_hash
        Content hash of the instance.

    Returns
    -------
    str
        ``"training"``, ``"validation"``, or an empty string.

    Examples
    --------
    >>> known = {"data": instance_hashes(training=["ab" * 32], validation=[])}
    >>> seen_in(known, "ab" * 32), seen_in(known, "cd" * 32), seen_in({}, "ab" * 32)
    ('training', '', '')
    """
    # The file may hold any JSON values here.
    data = provenance.get("data")
    entry = data.get(INSTANCE_HASHES) if isinstance(data, Mapping) else None
    known = entry if isinstance(entry, Mapping) else {}
    for role in _ROLES:
        hashes = known.get(role)
        if isinstance(hashes, list) and content_hash[:DIGITS] in hashes:
            return role
    return ""
