"""The state functions that come with milplib, by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from pyscipopt import SCIP_BRANCHDIR

from milplib.errors import PolicyError, UnknownNameError
from milplib.named import named_object
from milplib.scip.candidate_features import KhalilBlock
from milplib.scip.extraction import branching_candidates
from milplib.scip.native import native_at
from milplib.scip.state_functions import BlockSchema, StateFunction, check_state_functions

if TYPE_CHECKING:
    import pyscipopt

__all__ = ["BLOCKS", "PseudocostBlock", "TreeBlock", "load_state_functions", "state_functions_of"]


class PseudocostBlock:
    """Pseudocosts of the candidates, as SCIP knows them at the node.

    One line a candidate: SCIP's pseudocost score at the LP solution, and the mean gain in dual
    bound per unit of change, downwards and upwards.

    References
    ----------
    Achterberg, Koch, Martin, "Branching rules revisited", Operations Research Letters 33 (2005),
    section 2.2.
    """

    name = "pseudocost"
    version = 1
    columns = ("score", "down", "up")

    def extract(self, model: pyscipopt.Model) -> npt.NDArray[np.float64]:
        """Extract the block. Shape (k, 3), float64."""
        module = native_at(model)
        if module is None:
            return self.extract_pure(model)
        found = np.frombuffer(module.pseudocosts(model.to_ptr(False)), dtype=np.float64)
        return found.reshape(-1, len(self.columns))

    def extract_pure(self, model: pyscipopt.Model) -> npt.NDArray[np.float64]:
        """Extract the block through PySCIPOpt. Shape (k, 3), float64."""
        lines = [
            (
                model.getVarPseudocostScore(variable, variable.getLPSol()),
                model.getVarPseudocost(variable, SCIP_BRANCHDIR.DOWNWARDS),
                model.getVarPseudocost(variable, SCIP_BRANCHDIR.UPWARDS),
            )
            for variable in branching_candidates(model)
        ]
        return np.array(lines, dtype=np.float64).reshape(len(lines), 3)


class TreeBlock:
    """Where the node stands in the tree, and how far the tree has come.

    One line: depth, plunging depth, nodes so far (all restarts), open leaves, children and
    siblings, solutions found, and ``(LP objective - root bound) / max(1, |root bound|)`` in the
    transformed (minimisation) problem.
    """

    name = "tree"
    version = 1
    columns = (
        "depth",
        "plunging_depth",
        "nodes",
        "leaves",
        "children",
        "siblings",
        "solutions",
        "gain_over_root",
    )

    def extract(self, model: pyscipopt.Model) -> npt.NDArray[np.float64]:
        """Extract the block. Shape (8,), float64."""
        root = model.getLowerboundRoot()
        return np.array(
            [
                model.getDepth(),
                model.getPlungeDepth(),
                model.getNTotalNodes(),
                model.getNLeaves(),
                model.getNChildren(),
                model.getNSiblings(),
                model.getNSolsFound(),
                (model.getLPObjVal() - root) / max(1.0, abs(root)),
            ],
            dtype=np.float64,
        )


BLOCKS: dict[str, type[StateFunction]] = {
    block.name: block for block in (PseudocostBlock, TreeBlock, KhalilBlock)
}
"""The state functions that come with milplib, by name."""


def load_state_functions(names: Iterable[str | StateFunction]) -> tuple[StateFunction, ...]:
    """Make state functions from names, and check them.

    Parameters
    ----------
    names
        Names in `BLOCKS`, ``"package.module:Name"`` for a class or an object of a user's own, or
        state functions themselves.

    Raises
    ------
    UnknownNameError
        If a name is in neither form known.
    ParameterError
        If a module or its attribute cannot be imported, or is not a state function.

    Examples
    --------
    >>> [function.name for function in load_state_functions(["pseudocost", "tree"])]
    ['pseudocost', 'tree']
    """
    functions: list[Any] = []  # checked below
    for name in names:
        if not isinstance(name, str):
            functions.append(name)
        elif ":" in name:
            functions.append(named_object(name, kind="block", instantiate=True))
        elif name in BLOCKS:
            functions.append(BLOCKS[name]())
        else:
            raise UnknownNameError(
                "block", name, BLOCKS, hint="(one of your own: package.module:Name)"
            )
    return check_state_functions(functions)


def state_functions_of(
    blocks: Iterable[BlockSchema], *, where: str, own: Iterable[StateFunction] = ()
) -> tuple[StateFunction, ...]:
    """Find the state functions that extract recorded blocks, in the same versions.

    Parameters
    ----------
    blocks
        What is asked for.
    where
        Who asks, for the message.
    own
        State functions of a user's own, beside those of `BLOCKS`.

    Raises
    ------
    PolicyError
        If there is none of that name, or it has another version or other columns.

    Examples
    --------
    >>> [function.name for function in state_functions_of(
    ...     [BlockSchema("pseudocost", 1, ("score", "down", "up"))], where="the example")]
    ['pseudocost']
    """
    known: dict[str, StateFunction] = {name: kind() for name, kind in BLOCKS.items()}
    known |= {function.name: function for function in own}
    functions = []
    for block in blocks:
        if block.name not in known:
            raise PolicyError(
                f"{where} reads the block '{block.name}', which this milplib does not have "
                f"(it has {', '.join(sorted(known))}): pass its state function along"
            )
        ours = BlockSchema.of(known[block.name])
        if ours != block:
            raise PolicyError(
                f"{where} reads version {block.version} of the block '{block.name}' with the "
                f"columns {', '.join(block.columns)}; this milplib has version {ours.version} with "
                f"{', '.join(ours.columns)}: train it again"
            )
        functions.append(known[block.name])
    return tuple(functions)
