"""Solve one model with five policies in turn, and compare the work with that in fresh models.

``python benchmarks/policies_in_turn.py [INSTANCE]``, with a small auction by default. The script
removes and replaces policies and frees the transformed problem, or the whole problem, in between.
It ends with exit code 1 unless nodes, LP iterations and parameters are equal throughout.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyscipopt
from rich.console import Console
from rich.table import Table

import milplib
from milplib.generators import CombinatorialAuction
from milplib.policies import Switch
from milplib.scip import BranchingState, VariableFeature

OURS = "branching/milplib-policy/"


def most_fractional(state: BranchingState) -> npt.NDArray[np.floating]:
    """Prefer the candidate whose value is nearest to a half."""
    fraction = state.variable_features[state.candidates, VariableFeature.FRACTIONALITY]
    return np.asarray(0.5 - abs(fraction - 0.5))


POLICIES: Mapping[str, object] = {
    "a network": "gcnn-auctions",
    "a rule": "pscost",
    "a function": most_fractional,
    "a switch": Switch("mostinf", "gcnn-auctions", depth=2),
    "auto": "auto",
}


@dataclass(frozen=True, kw_only=True)
class Work:
    """Work of a solve that depends on no clock."""

    nodes: int
    lp_iterations: int
    decisions: int | None


def new_model(path: Path) -> pyscipopt.Model:
    """Read a model whose solves repeat."""
    model = pyscipopt.Model()
    model.hideOutput()
    model.setParam("misc/usesymmetry", 0)  # its order depends on memory addresses
    model.setParam("limits/maxorigsol", 0)  # solutions that a later solve would start with
    model.setParam("branching/pscost/maxdepth", 30)
    model.readProblem(str(path))
    return model


def solved(model: pyscipopt.Model, use: milplib.PolicyUse | None = None) -> Work:
    """Solve a model and return the work."""
    model.optimize()
    if model.getStatus() != "optimal":
        raise SystemExit(f"the solve ended with the status {model.getStatus()}")
    return Work(
        nodes=model.getNTotalNodes(),
        lp_iterations=model.getNLPIterations(),
        decisions=None if use is None else use.calls,
    )


def parameters(model: pyscipopt.Model) -> dict[str, object]:
    """Return the user's parameters, without the one that SCIP itself changes in a solve."""
    skipped = (OURS, "propagating/genvbounds/timingmask")
    return {k: v for k, v in model.getParams().items() if not k.startswith(skipped)}


def walk(path: Path) -> list[tuple[str, Work, Work, bool]]:
    """Return each step's name, its work, a fresh model's, and whether the parameters are equal."""
    fresh = {}
    for name, policy in POLICIES.items():
        model = new_model(path)
        fresh[name] = solved(model, milplib.include_policy(model, policy, on_error="raise"))
    plain = solved(new_model(path))

    model, steps = new_model(path), []
    before = parameters(model)
    for name, policy in POLICIES.items():  # one after the other, each removed
        use = milplib.include_policy(model, policy, on_error="raise")
        work = solved(model, use)
        use.remove()
        steps.append((f"{name}, then removed", work, fresh[name], parameters(model) == before))
        model.freeTransform()
    steps.append(("no policy", solved(model), plain, parameters(model) == before))
    model.freeTransform()
    use = milplib.include_policy(model, "random", on_error="raise")
    for name, policy in reversed(list(POLICIES.items())):  # by the same handle
        use.replace(policy)
        steps.append((f"{name}, by replacement", solved(model, use), fresh[name], True))
        model.freeTransform()
    model.freeProb()
    model.readProblem(str(path))
    name = next(iter(POLICIES))  # the last policy stays with another problem
    calls = use.calls
    work = solved(model, use)
    work = Work(nodes=work.nodes, lp_iterations=work.lp_iterations, decisions=use.calls - calls)
    steps.append((f"{name}, after freeProb", work, fresh[name], True))
    use.remove()
    model.freeProb()
    model.readProblem(str(path))
    steps.append(("no policy", solved(model), plain, parameters(model) == before))
    return steps


def main() -> None:
    """Print a table of the steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instance", type=Path, nargs="?")
    path = parser.parse_args().instance
    with tempfile.TemporaryDirectory() as folder:
        if path is None:
            path = Path(folder, "auction.mps")
            CombinatorialAuction(n_items=50, n_bids=200).generate(seed=2).write(path)
        steps = walk(path)
    columns = ("step", "nodes", "fresh", "LP iterations", "fresh", "decisions", "fresh", "equal")
    table = Table(*columns)
    n_different = 0
    for name, work, expected, kept in steps:
        equal = work == expected and kept
        n_different += not equal
        pairs = (
            (work.nodes, expected.nodes),
            (work.lp_iterations, expected.lp_iterations),
            (work.decisions, expected.decisions),
        )
        numbers = ("-" if n is None else str(n) for pair in pairs for n in pair)
        table.add_row(name, *numbers, "yes" if equal else "NO" if kept else "NO: parameters")
    Console(width=120).print(table)
    if n_different:
        raise SystemExit(f"{n_different} of {len(steps)} steps differ")
    print(f"{len(steps)} steps, all equal")


if __name__ == "__main__":
    main()
