"""The expert builds SCIP's own vanillafullstrong tree."""

from __future__ import annotations

import pyscipopt
import pytest

from milplib.generators import (
    CapacitatedFacilityLocation,
    CombinatorialAuction,
    IndependentSet,
    SetCover,
)
from milplib.scip import StrongBranchingRule, apply_setting, use_branching_rule
from milplib.scip.rule import PRIORITY

FAMILIES = {
    "set cover": SetCover(n_rows=150, n_columns=200, density=0.05),
    "auction": CombinatorialAuction(n_items=50, n_bids=200),
    "independent set": IndependentSet(n_nodes=80),
    "facility location": CapacitatedFacilityLocation(n_customers=15, n_facilities=15),
}


class BranchingLog(pyscipopt.Eventhdlr):
    """Every branching: node, depth, bound, and on which side of what the children lie."""

    def eventinit(self):
        self.model.catchEvent(pyscipopt.SCIP_EVENTTYPE.NODEBRANCHED, self)

    def eventexit(self):
        self.model.dropEvent(pyscipopt.SCIP_EVENTTYPE.NODEBRANCHED, self)

    def eventexec(self, event):
        node = event.getNode()
        children = []
        for child in self.model.getChildren():
            variables, bounds, kinds = child.getParentBranchings()
            children.append(([v.name for v in variables], list(bounds), list(kinds)))
        self.log.append((node.getNumber(), node.getDepth(), node.getLowerbound(), children))


def tree(model, *, ours: bool, setting: str, seed: int):
    model.hideOutput()
    apply_setting(model, setting, seed=seed)
    model.setParam("limits/nodes", 200)
    model.setParam("misc/usesymmetry", 0)  # depends on memory addresses (see episode.py)
    events = BranchingLog()
    events.log = []
    model.includeEventhdlr(events, "log", "")
    if ours:
        rule = StrongBranchingRule()
        rule.include(model, "expert")
    else:
        use_branching_rule(model, "vanillafullstrong")
        # Some heuristics give `inference` the highest priority in their sub-SCIPs, where the
        # highest for this rule would be a tie; our rule leaves it the second highest there.
        model.setParam("branching/vanillafullstrong/priority", PRIORITY - 1)
        model.setParam("branching/vanillafullstrong/idempotent", True)
        model.setParam("branching/vanillafullstrong/scoreall", True)
    model.optimize()
    if ours:
        rule.raise_error()
    return events.log, model.getStatus(), model.getNTotalNodes(), model.getNLPIterations()


@pytest.mark.parametrize("setting", ["default", "learn2branch"])
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_tree_is_scips_own_node_for_node(family, seed, setting):
    instance = FAMILIES[family].generate(seed)
    ours = tree(instance.to_scip(), ours=True, setting=setting, seed=seed)
    theirs = tree(instance.to_scip(), ours=False, setting=setting, seed=seed)
    assert ours == theirs


@pytest.mark.parametrize("name", ["lseu", "misc03", "bell5", "blend2", "dcmulti", "stein27_inf"])
def test_the_tree_is_scips_own_on_real_instances(name, test_data):
    path = next((test_data / "miplib").glob(f"{name}.*"))
    trees = []
    for ours in (True, False):
        model = pyscipopt.Model()
        model.readProblem(str(path))
        trees.append(tree(model, ours=ours, setting="learn2branch", seed=3))
    assert trees[0] == trees[1]
    assert len(trees[0][0]) > 5


def test_some_tree_of_every_family_has_branchings():
    for family, generator in FAMILIES.items():
        logs = [
            tree(generator.generate(seed).to_scip(), ours=True, setting="learn2branch", seed=seed)[
                0
            ]
            for seed in (0, 1)
        ]
        assert any(logs), family
