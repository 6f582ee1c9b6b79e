"""Graph convolutional network of Gasse et al. 2019 as a policy, without torch."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from milplib.arguments import checked
from milplib.display import Shown
from milplib.errors import PolicyError
from milplib.policies.compiled import CompiledGcnn, compile_gcnn
from milplib.policies.file import PolicyFile
from milplib.policies.folded import GCNN_SUMS, Array, FoldedGcnn, Sums, check_state
from milplib.scip.blocks import state_functions_of
from milplib.scip.blocks.pseudocost import PseudocostBlock
from milplib.scip.features import RowFeature, VariableFeature
from milplib.scip.state import BranchingState
from milplib.scip.state_functions import StateFunction

__all__ = ["GCNN_SUMS", "GcnnPolicy", "gcnn_shapes", "joined_blocks"]


@checked
def gcnn_shapes(hidden: int, n_block_columns: int = 0) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of the network's tensors.

    Parameters
    ----------
    hidden
        Number of units of every layer (64 in the paper).
    n_block_columns
        Number of block columns that are appended to a candidate's embedding before the head.

    Examples
    --------
    >>> gcnn_shapes(64)["variable_embedding.0.weight"]
    (64, 19)
    """
    h, b = hidden, n_block_columns
    shapes: dict[str, tuple[int, ...]] = {"edge_norm.shift": (1,), "edge_norm.scale": (1,)}
    for side, size in (("variable", len(VariableFeature)), ("row", len(RowFeature))):
        shapes |= {
            f"{side}_norm.shift": (size,),
            f"{side}_norm.scale": (size,),
            f"{side}_embedding.0.weight": (h, size),
            f"{side}_embedding.0.bias": (h,),
            f"{side}_embedding.2.weight": (h, h),
            f"{side}_embedding.2.bias": (h,),
        }
    for convolution in ("to_rows", "to_variables"):
        parts = {
            "target.weight": (h, h),
            "target.bias": (h,),
            "edge.weight": (h, 1),
            "source.weight": (h, h),
            "message_norm.scale": (1,),
            "message.weight": (h, h),
            "message.bias": (h,),
            "output_norm.scale": (1,),
            "output.0.weight": (h, 2 * h),
            "output.0.bias": (h,),
            "output.2.weight": (h, h),
            "output.2.bias": (h,),
        }
        shapes |= {f"{convolution}.{part}": shape for part, shape in parts.items()}
    if b:
        shapes |= {"block_norm.shift": (b,), "block_norm.scale": (b,)}
    return shapes | {"head.0.weight": (h, h + b), "head.0.bias": (h,), "head.2.weight": (1, h)}


def joined_blocks(state: BranchingState, names: tuple[str, ...]) -> Array:
    """Join blocks to features of the candidates, repeating blocks of one line.

    Returns
    -------
    ndarray
        Block columns of the candidates. Shape (k, total number of block columns).

    Raises
    ------
    PolicyError
        If a block is missing, or has neither one nor k lines.
    """
    k = len(state.candidates)
    parts = []
    for name in names:
        block = state.blocks.get(name)
        if block is None:
            raise PolicyError(f"the state lacks the block '{name}' that the policy reads")
        if len(block) not in (1, k):
            raise PolicyError(
                f"the block '{name}' has {len(block)} lines for {k} candidates; the network reads "
                "blocks of one line, or of one line per candidate"
            )
        parts.append(np.broadcast_to(block, (k, block.shape[1])))
    return np.hstack(parts) if parts else np.empty((k, 0), dtype=np.float32)


class GcnnPolicy(Shown):
    """A trained graph convolutional network as a policy.

    Parameters
    ----------
    content
        Content of the policy file.
    name
        Name for results.
    blocks
        User-defined state functions that the policy reads.

    Raises
    ------
    PolicyError
        If a tensor is missing, superfluous or of another shape, or a block is unknown.

    References
    ----------
    Gasse, Chételat, Ferroni, Charlin, Lodi, "Exact combinatorial optimization with graph
    convolutional neural networks", NeurIPS 2019, section 4.2.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> tensors = {name: rng.normal(size=shape).astype(np.float32)
    ...            for name, shape in gcnn_shapes(8).items()}
    >>> policy = GcnnPolicy(PolicyFile(
    ...     architecture="gcnn", hyperparameters={"hidden": 8}, tensors=tensors), name="noise")
    >>> policy.state_functions
    ()
    """

    def __init__(
        self, content: PolicyFile, *, name: str, blocks: Iterable[StateFunction] = ()
    ) -> None:
        self.name = name
        self.content = content
        self.state_functions = state_functions_of(
            content.blocks, where=f"the policy '{name}'", own=blocks
        )
        self._block_names = tuple(block.name for block in content.blocks)
        with np.errstate(over="ignore", invalid="ignore"):  # checked below
            self._folded = FoldedGcnn.of(
                _checked_tensors(content, name), sums=_checked_sums(content, name)
            )
        if not all(np.isfinite(tensor).all() for tensor in self._folded.tensors):
            raise PolicyError(
                f"the policy '{name}' has normalisations and weights whose products are not finite "
                "in float32: train it again"
            )
        self._compiled: CompiledGcnn | None = None

    def _facts(self) -> dict[str, object]:
        return {"name": self.name} | dict(self.content._facts())

    def compiled(self) -> CompiledGcnn | None:
        """Return the network in native code, compiled once, or None without native code."""
        if self._compiled is None:
            self._compiled = compile_gcnn(self._folded)
        return self._compiled

    def native_decision(self) -> CompiledGcnn | None:
        """Return the network for whole branching decisions in native code, or None.

        The native code extracts no block but the pseudocosts.
        """
        if any(type(function) is not PseudocostBlock for function in self.state_functions):
            return None
        return self.compiled()

    def __getstate__(self) -> dict[str, object]:
        # Each process compiles for its own processor.
        return self.__dict__ | {"_compiled": None}

    def score(self, state: BranchingState) -> Array:
        """Score the candidates of a state.

        Returns
        -------
        ndarray
            Scores, higher is better. Shape (k,), float32.

        Raises
        ------
        PolicyError
            If a block is missing or has another shape, a number is not finite, a position is out
            of range, or a candidate occurs twice.
        """
        blocks = joined_blocks(state, self._block_names).astype(np.float32, copy=False)
        compiled = self.compiled()
        try:
            if compiled is not None:
                return compiled.score(state, blocks)
            check_state(state, blocks)
            return self._folded.score(state, blocks)
        except (TypeError, ValueError) as error:
            raise PolicyError(f"the policy '{self.name}' cannot score this: {error}") from error


def _checked_sums(content: PolicyFile, name: str) -> Sums:
    sums = content.hyperparameters.get("sums", Sums.ABSOLUTE)
    if sums not in GCNN_SUMS:
        raise PolicyError(
            f"the policy '{name}' has {sums!r} sums; this milplib knows {' and '.join(GCNN_SUMS)}"
        )
    return Sums(sums)


def _checked_tensors(content: PolicyFile, name: str) -> dict[str, npt.NDArray[np.float64]]:
    hidden = content.hyperparameters.get("hidden")
    if type(hidden) is not int or not 0 < hidden <= 4096:
        raise PolicyError(f"the policy '{name}' has {hidden!r} hidden units")
    shapes = gcnn_shapes(hidden, sum(len(block.columns) for block in content.blocks))
    actual = {key: tensor.shape for key, tensor in content.tensors.items()}
    if actual != shapes:
        wrong = sorted(key for key in actual.keys() | shapes if actual.get(key) != shapes.get(key))
        raise PolicyError(
            f"the policy '{name}' is not a gcnn of {hidden} hidden units: its tensor '{wrong[0]}' "
            f"has shape {actual.get(wrong[0], 'none')}, expected {shapes.get(wrong[0], 'none')}"
        )
    for key, tensor in content.tensors.items():
        if tensor.dtype != np.float32:
            raise PolicyError(f"the policy '{name}' has the tensor '{key}' in {tensor.dtype}")
    return {key: tensor.astype(np.float64) for key, tensor in content.tensors.items()}
