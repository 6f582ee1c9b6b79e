"""Conversion between torch modules and policy files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from milplib.errors import ParameterError, PolicyError
from milplib.learn.models import GCNN
from milplib.policies.file import PolicyFile
from milplib.policies.folded import Sums
from milplib.scip import BlockSchema

__all__ = ["to_module", "to_policy_file"]


def to_policy_file(
    tensors: Mapping[str, torch.Tensor],
    *,
    hidden: int,
    sums: str = Sums.ABSOLUTE,
    blocks: Sequence[BlockSchema] = (),
    provenance: Mapping[str, object] | None = None,
) -> PolicyFile:
    """Describe a network as a policy file, for `milplib.policies.file.write_policy`.

    Parameters
    ----------
    tensors
        ``state_dict()`` of a `GCNN`.
    hidden, sums
        Arguments of the `GCNN`.
    blocks
        Blocks that the network reads.
    provenance
        Description of the training, as JSON values.

    Examples
    --------
    >>> model = GCNN(hidden=4)
    >>> content = to_policy_file(model.state_dict(), hidden=4)
    >>> again = to_module(content)
    >>> all(map(torch.equal, model.state_dict().values(), again.state_dict().values()))
    True
    """
    return PolicyFile(
        architecture="gcnn",
        hyperparameters={"hidden": hidden} | ({} if sums == Sums.ABSOLUTE else {"sums": sums}),
        blocks=tuple(blocks),
        provenance=dict(provenance or {}),
        tensors={
            name: tensor.detach().cpu().numpy().astype(np.float32, copy=True)
            for name, tensor in tensors.items()
        },
    )


def to_module(content: PolicyFile) -> GCNN:
    """Build the network of a policy file, to train it further or to inspect it.

    Raises
    ------
    PolicyError
        If the policy has another architecture, or its tensors do not fit its sizes.
    """
    if content.architecture != "gcnn":
        raise PolicyError(
            f"a policy of the architecture '{content.architecture}' has no torch module; name one "
            "of the architecture 'gcnn'"
        )
    columns = sum(len(block.columns) for block in content.blocks)
    try:
        model = GCNN(
            hidden=content.hyperparameters["hidden"],
            sums=content.hyperparameters.get("sums", Sums.ABSOLUTE),
            n_block_columns=columns,
        )
        model.load_state_dict({n: torch.from_numpy(t.copy()) for n, t in content.tensors.items()})
    except (KeyError, ParameterError, RuntimeError, TypeError) as error:
        raise PolicyError(f"the tensors are not those of a gcnn: {error}") from error
    return model
