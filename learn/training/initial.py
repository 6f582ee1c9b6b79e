"""Initial policy of a training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from milplib.errors import ParameterError
from milplib.files import file_sha256
from milplib.policies.file import PolicyFile, read_policy
from milplib.policies.pretrained import pretrained_or_given
from milplib.policies.provenance import DataRecord, recorded_hashes

__all__ = ["InitialPolicy"]


@dataclass(frozen=True, kw_only=True, eq=False)
class InitialPolicy:
    """Policy whose weights a training starts from.

    Parameters
    ----------
    file
        Policy file.
    sha256
        SHA-256 of the file, in hexadecimal.
    content
        Content of the file.
    """

    file: Path
    sha256: str
    content: PolicyFile

    @classmethod
    def read(cls, policy: str) -> InitialPolicy:
        """Read a policy file, or a shipped policy by its name.

        Raises
        ------
        PolicyError
            If the policy cannot be read.
        """
        file = Path(str(pretrained_or_given(policy)))
        content = read_policy(file)
        return cls(file=file, sha256=file_sha256(file), content=content)

    @property
    def job(self) -> dict[str, object]:
        """Description in the policy file, by content and without paths of this machine."""
        return {"initial_policy": {"name": self.file.stem, "sha256": self.sha256}}

    def with_seen_instances(self, data: DataRecord) -> DataRecord:
        """Add the instances that the initial policy has seen to the training instances."""
        before, now = recorded_hashes(self.content.provenance), data["instance_hashes"]
        seen = {*before["training"], *before["validation"]} if before else set()
        training = sorted(seen.union(now["training"]))
        return {
            **data,
            "instance_hashes": {"training": training, "validation": now["validation"]},
        }

    def load_into(self, model: nn.Module, expected: PolicyFile) -> None:
        """Load the weights and norms of the policy into a network.

        Parameters
        ----------
        model
            The network.
        expected
            The network as a policy file.

        Raises
        ------
        ParameterError
            If the policy has another architecture, other sizes or other blocks.
        """
        ours, theirs = _described(expected), _described(self.content)
        for name in sorted(ours.keys() | theirs):
            if ours.get(name) != theirs.get(name):
                raise ParameterError(
                    f"the initial policy {self.file} has {name} {theirs.get(name, 'none')}, and "
                    f"this training {ours.get(name, 'none')}: train with the options that it was "
                    "trained with, or begin with another policy"
                )
        model.load_state_dict(
            {n: torch.from_numpy(t.copy()) for n, t in self.content.tensors.items()}
        )


def _described(content: PolicyFile) -> dict[str, object]:
    """Return the properties that two policies must share to exchange weights."""
    blocks = [f"{block.name} {block.version}" for block in content.blocks]
    return {
        "architecture": content.architecture,
        **content.hyperparameters,
        "blocks": ", ".join(blocks) or "none",
        **{f"tensor '{name}' of shape": t.shape for name, t in content.tensors.items()},
    }
