"""Record of a policy's training and validation instances in its file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NotRequired, TypedDict

__all__ = [
    "INSTANCE_HASHES",
    "DataRecord",
    "HashesRecord",
    "InstanceHashes",
    "SetRecord",
    "TrainingRecord",
    "instance_hashes",
    "recorded_hashes",
    "seen_in",
]

INSTANCE_HASHES = "instance_hashes"
"""Name of the entry in ``provenance["data"]`` of a policy file."""

DIGITS = 16
"""Number of hexadecimal digits of a content hash in a policy file. The probability that two of a
million instances agree in them is below 1e-7."""

_ROLES = ("training", "validation")


class InstanceHashes(TypedDict):
    """First digits of the content hashes of a policy's instances, sorted."""

    training: list[str]
    validation: list[str]


class SetRecord(TypedDict):
    """Record of a set of samples."""

    name: str
    sha256: str
    samples: int
    instances: int


class DataRecord(TypedDict):
    """Record of the data of a training, as ``provenance["data"]`` of a policy file."""

    training: list[SetRecord]
    validation: list[SetRecord]
    held_out_instances: NotRequired[int]
    held_out_sha256: NotRequired[str]
    instance_hashes: InstanceHashes


class TrainingRecord(TypedDict, total=False):
    """What milplib reads of a policy file's provenance; each kind of model adds its own."""

    data: DataRecord
    validation: dict[str, float]
    epochs: int


class HashesRecord(TypedDict):
    """The part of a `DataRecord` that names the instances."""

    instance_hashes: InstanceHashes


def instance_hashes(*, training: Iterable[str], validation: Iterable[str]) -> HashesRecord:
    """Make the entry of a policy file that records its training and validation instances.

    Parameters
    ----------
    training, validation
        Content hashes of the instances (`milplib.Instance.content_hash`).

    Returns
    -------
    HashesRecord
        Entry to merge into ``provenance["data"]``. Equal sets of instances give equal entries.

    Examples
    --------
    >>> instance_hashes(training=["f" * 64, "0" * 64], validation=[])
    {'instance_hashes': {'training': ['0000000000000000', 'ffffffffffffffff'], 'validation': []}}
    """
    return {
        "instance_hashes": {
            "training": sorted({h[:DIGITS] for h in training}),
            "validation": sorted({h[:DIGITS] for h in validation}),
        }
    }


def recorded_hashes(provenance: Mapping[str, object]) -> InstanceHashes | None:
    """Return the hashes of the instances that a policy has seen; None if it records none.

    Examples
    --------
    >>> recorded_hashes({"data": instance_hashes(training=["ab" * 32], validation=[])})
    {'training': ['abababababababab'], 'validation': []}
    >>> recorded_hashes({}) is None
    True
    """
    # The file may hold any JSON values here.
    data = provenance.get("data")
    entry = data.get(INSTANCE_HASHES) if isinstance(data, Mapping) else None
    if not isinstance(entry, Mapping):
        return None
    training, validation = (entry.get(role) for role in _ROLES)
    return {
        "training": training if isinstance(training, list) else [],
        "validation": validation if isinstance(validation, list) else [],
    }


def seen_in(provenance: Mapping[str, object], content_hash: str) -> str:
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
    known, digits = recorded_hashes(provenance), content_hash[:DIGITS]
    if known is None:
        return ""
    if digits in known["training"]:
        return "training"
    return "validation" if digits in known["validation"] else ""
