"""Policy files: tensors and a JSON header in one safetensors file, read without torch."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from milplib.arguments import checked
from milplib.display import Shown
from milplib.errors import PolicyError
from milplib.files import atomic_write
from milplib.parsing import parse_json
from milplib.scip.state import STATE_VERSION
from milplib.scip.state_functions import BlockSchema
from milplib.scip.versions import is_compatible, scip_major_version

__all__ = ["POLICY_VERSION", "PolicyFile", "read_policy", "write_policy"]

POLICY_VERSION = 1
"""Version of the policy file format."""

FORMAT = "milplib-policy"
_METADATA_KEY = "milplib"


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class PolicyFile(Shown):
    """Content of a policy file.

    Parameters
    ----------
    architecture
        Name in `milplib.policies.ARCHITECTURES`. It determines how the tensors give scores.
    hyperparameters
        Sizes of the architecture, as JSON values.
    blocks
        Blocks that the policy reads in addition to the state, in order.
    provenance
        Description of the training, as JSON values.
    tensors
        Arrays by name, float32, or int32 for positions.
    state_version, scip_major
        Version of the state in training (`milplib.scip.STATE_VERSION`), and SCIP's major version,
        on which the meaning of some features depends.
    """

    architecture: str
    hyperparameters: dict[str, Any]
    tensors: Mapping[str, npt.NDArray[np.float32] | npt.NDArray[np.int32]]
    blocks: tuple[BlockSchema, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)
    state_version: int = STATE_VERSION
    scip_major: int = field(default_factory=scip_major_version)

    def _facts(self) -> dict[str, object]:
        return {
            "architecture": self.architecture,
            "hyperparameters": self.hyperparameters,
            "weights": sum(tensor.size for tensor in self.tensors.values()),
            "blocks": [block.name for block in self.blocks],
            "scip_major": self.scip_major,
        }


@checked
def write_policy(path: str | os.PathLike[str], policy: PolicyFile) -> None:
    """Write a policy file; equal policies give equal bytes.

    Raises
    ------
    PolicyError
        If a tensor is neither float32 nor int32, or holds a number that is not finite.
    OutputError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> path = tempfile.mkdtemp() + "/tiny.safetensors"
    >>> tensors = {"weight": np.ones(2, dtype=np.float32)}
    >>> write_policy(path, PolicyFile(architecture="mine", hyperparameters={}, tensors=tensors))
    >>> read_policy(path).tensors["weight"].tolist()
    [1.0, 1.0]
    """
    _check_tensors(policy.tensors, str(path))
    header = {
        "format": FORMAT,
        "version": POLICY_VERSION,
        "architecture": policy.architecture,
        "hyperparameters": policy.hyperparameters,
        "blocks": [asdict(block) for block in policy.blocks],
        "provenance": policy.provenance,
        "state_version": policy.state_version,
        "scip_major": policy.scip_major,
    }
    tensors = {name: np.ascontiguousarray(policy.tensors[name]) for name in sorted(policy.tensors)}
    content = save(tensors, metadata={_METADATA_KEY: json.dumps(header, sort_keys=True)})
    with atomic_write(path) as stream:
        stream.write(content)


@checked
def read_policy(path: str | os.PathLike[str]) -> PolicyFile:
    """Read a policy file and check everything but the shapes, which the architecture checks.

    Raises
    ------
    PolicyError
        If the file is missing, cut off, not a policy, of another version, or has weights that are
        not finite.

    Examples
    --------
    >>> read_policy("nowhere.safetensors")
    Traceback (most recent call last):
    milplib.errors.PolicyError: there is no policy file nowhere.safetensors
    """
    where = os.fspath(path)
    if not Path(path).is_file():
        if Path(path).is_dir():
            raise PolicyError(f"{where} is a folder, not a policy file")
        raise PolicyError(f"there is no policy file {where}")
    try:
        with safe_open(path, framework="numpy") as content:
            metadata = content.metadata() or {}
            tensors = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118
    except (SafetensorError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise PolicyError(f"{where} is not a policy file, or is cut off: {error}") from error
    except OSError as error:
        raise PolicyError(f"cannot read {where}: {error.strerror or error}") from error
    header = _header(metadata, where)
    _check_versions(header, where)
    _check_tensors(tensors, where)
    try:
        return PolicyFile(
            architecture=str(header["architecture"]),
            hyperparameters=dict(header["hyperparameters"]),
            blocks=tuple(map(BlockSchema.from_json, header["blocks"])),
            provenance=dict(header["provenance"]),
            state_version=header["state_version"],
            scip_major=header["scip_major"],
            tensors=tensors,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PolicyError(f"the header of {where} is damaged: {error!r}") from error


def _header(metadata: Mapping[str, str], where: str) -> dict[str, Any]:
    try:
        header = parse_json(metadata[_METADATA_KEY])
    except (KeyError, ValueError):
        header = None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise PolicyError(f"{where} is a safetensors file, but not a milplib policy")
    return header


def _check_versions(header: Mapping[str, Any], where: str) -> None:
    ours = {
        "version": POLICY_VERSION,
        "state_version": STATE_VERSION,
        "scip_major": scip_major_version(),
    }
    for key, version in ours.items():
        written = header.get(key)
        is_readable = is_compatible(written) if key == "scip_major" else written == version
        if not is_readable:
            meaning = {"version": "policy format"}.get(key, key.replace("_", " "))
            raise PolicyError(
                f"{where} has {meaning} {written}, this milplib works with {version}: "
                "train it again, or install the milplib and SCIP that it was made with"
            )


def _check_tensors(tensors: Mapping[str, npt.NDArray[Any]], where: str) -> None:
    for name, tensor in tensors.items():
        if tensor.dtype not in (np.float32, np.int32):
            raise PolicyError(
                f"the tensor '{name}' of {where} is {tensor.dtype}, neither float32 nor int32"
            )
        if not np.isfinite(tensor).all():
            raise PolicyError(f"the tensor '{name}' of {where} has numbers that are not finite")
