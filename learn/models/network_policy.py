"""Policies that are torch modules of a user."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from milplib.display import Shown
from milplib.errors import ParameterError, PolicyError
from milplib.learn.dataset.batch import joined
from milplib.learn.dataset.graph import state_arrays
from milplib.policies.file import PolicyFile
from milplib.policies.model_kinds import NETWORK
from milplib.policies.networks import BLOCK_COLUMNS, check_network_options, network_name
from milplib.scip import BlockSchema, BranchingState
from milplib.scip.blocks import state_functions_of
from milplib.scip.state_functions import StateFunction

__all__ = ["NetworkPolicy", "build_network", "network_file"]

_LARGEST_INT32 = 2**31


class NetworkPolicy(Shown):
    """Policy of a trained torch module, in float32 on one CPU thread.

    Parameters
    ----------
    content
        Content of the policy file.
    name
        Name of the policy in results.
    blocks
        A user's state functions that the policy reads.
    network
        Class of the module; the file holds only its name.

    Raises
    ------
    PolicyError
        If the options or tensors do not fit the class, or a block is unknown.
    """

    def __init__(
        self,
        content: PolicyFile,
        *,
        name: str,
        blocks: Iterable[StateFunction] = (),
        network: type[nn.Module],
    ) -> None:
        self.name = name
        self.content = content
        self.network = network
        self.state_functions = state_functions_of(
            content.blocks, where=f"the policy '{name}'", own=blocks
        )
        self._module: nn.Module | None = self._loaded()

    def _facts(self) -> dict[str, object]:
        return {"name": self.name} | dict(self.content._facts())

    def __getstate__(self) -> dict[str, object]:
        # The tensors are pickled once, as arrays of the content.
        return self.__dict__ | {"_module": None}

    def score(self, state: BranchingState) -> npt.NDArray[np.float32]:
        """Score the candidates of a state.

        Returns
        -------
        ndarray
            Scores, higher is better. Shape (k,), float32.

        Raises
        ------
        PolicyError
            If the state lacks a block, or a block has another form.
        """
        if self._module is None:
            self._module = self._loaded()
        graph = joined([state_arrays(state, blocks=self.content.blocks)])
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with torch.inference_mode():
                scores: npt.NDArray[np.float32] = self._module(graph).float().numpy()
        finally:
            torch.set_num_threads(before)
        return scores

    def _loaded(self) -> nn.Module:
        where = f"the policy '{self.name}' does not fit the class {network_name(self.network)}"
        options = self.content.hyperparameters.get("options")
        if not isinstance(options, Mapping):
            raise PolicyError(f"{where}: its file names no options")
        try:
            module = build_network(self.network, options, blocks=self.content.blocks)
            module.load_state_dict(
                {n: torch.from_numpy(t.copy()) for n, t in self.content.tensors.items()}
            )
        except (ParameterError, RuntimeError) as error:
            raise PolicyError(
                f"{where}: {' '.join(str(error).split())}; load it with the class that it was "
                "trained with, or train it again"
            ) from error
        return module.eval()


def build_network(
    network: type[nn.Module],
    options: Mapping[str, object],
    *,
    blocks: Sequence[BlockSchema] = (),
    seed: int = 0,
) -> nn.Module:
    """Build a user's network, in float32.

    Parameters
    ----------
    network
        Class of the network. If its constructor takes ``n_block_columns``, it receives the number
        of columns of the blocks.
    options
        Other keyword arguments of the constructor, as JSON values.
    blocks
        Blocks that the network reads.
    seed
        Seed of torch's generator during construction; the state of the generator is restored
        afterwards.

    Raises
    ------
    ParameterError
        If the options do not fit the constructor, or the constructor fails.

    Examples
    --------
    >>> build_network(nn.Linear, {"in_features": 2, "out_features": 1})
    Linear(in_features=2, out_features=1, bias=True)
    """
    check_network_options(network, options)
    columns = sum(len(block.columns) for block in blocks)
    extra = (
        {BLOCK_COLUMNS: columns} if BLOCK_COLUMNS in inspect.signature(network).parameters else {}
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            return network(**options, **extra).float()
        except Exception as error:  # a user's class may raise anything
            raise ParameterError(
                f"{network_name(network)} cannot be made with {dict(options)}: "
                f"{type(error).__name__}: {' '.join(str(error).split())}"
            ) from error


def network_file(
    network: type[nn.Module],
    tensors: Mapping[str, torch.Tensor],
    *,
    options: Mapping[str, object],
    blocks: Sequence[BlockSchema] = (),
    provenance: Mapping[str, object] | None = None,
) -> PolicyFile:
    """Describe a user's network as a policy file.

    Parameters
    ----------
    network
        Class of the network; the file holds its name.
    tensors
        ``state_dict()`` of the network.
    options
        Keyword arguments of the constructor, as JSON values.
    blocks
        Blocks that the network reads.
    provenance
        Description of the training, as JSON values.

    Raises
    ------
    ParameterError
        If part of the state is not a tensor, or does not fit float32 or int32.

    Examples
    --------
    >>> linear = nn.Linear(2, 1)
    >>> content = network_file(
    ...     nn.Linear, linear.state_dict(), options={"in_features": 2, "out_features": 1})
    >>> content.hyperparameters["network"], sorted(content.tensors)
    ('torch.nn.modules.linear:Linear', ['bias', 'weight'])
    """
    return PolicyFile(
        architecture=NETWORK,
        hyperparameters={"network": network_name(network), "options": dict(options)},
        blocks=tuple(blocks),
        provenance=dict(provenance or {}),
        tensors={name: _as_array(tensor, name, network) for name, tensor in tensors.items()},
    )


def _as_array(
    tensor: object, name: str, network: type[nn.Module]
) -> npt.NDArray[np.float32] | npt.NDArray[np.int32]:
    where = f"'{name}' in the state of {network_name(network)}"
    if not isinstance(tensor, torch.Tensor):
        raise ParameterError(f"{where} is no tensor: keep it out of state_dict()")
    array = tensor.detach().cpu()
    if array.is_floating_point():
        return array.float().numpy().copy()
    if array.is_complex() or (array.numel() and int(array.abs().max()) >= _LARGEST_INT32):
        raise ParameterError(f"{where} does not fit float32 or int32, which policy files hold")
    return array.int().numpy().copy()
