"""The project's parities, over more seeds and families than a quick run has time for."""

from __future__ import annotations

import numpy as np
import pyscipopt
import pytest

from milplib.generators import from_name
from milplib.learn import collect
from milplib.scip import StrongBranchingRule, apply_setting, use_branching_rule
from milplib.scip.rule import PRIORITY

pytestmark = pytest.mark.nightly

FAMILIES = ("CA", "SC", "MIS", "CFLP")
REAL = ("bell5", "blend2", "dcmulti", "enigma", "flugpl", "lseu", "misc03", "stein27_inf")


class Decisions(pyscipopt.Eventhdlr):
    """Node, depth, bound and variables of every branching."""

    def eventinit(self):
        self.model.catchEvent(pyscipopt.SCIP_EVENTTYPE.NODEBRANCHED, self)

    def eventexit(self):
        self.model.dropEvent(pyscipopt.SCIP_EVENTTYPE.NODEBRANCHED, self)

    def eventexec(self, event):
        node = event.getNode()
        branchings = [child.getParentBranchings() for child in self.model.getChildren()]
        sides = [([v.name for v in names], list(bounds)) for names, bounds, _ in branchings]
        self.log.append((node.getNumber(), node.getDepth(), node.getLowerbound(), sides))


def tree(model, *, ours, setting, seed):
    model.hideOutput()
    apply_setting(model, setting, seed=seed)
    model.setParam("limits/nodes", 500)
    model.setParam("misc/usesymmetry", 0)
    log = Decisions()
    log.log = []
    model.includeEventhdlr(log, "decisions", "")
    rule = StrongBranchingRule()
    if ours:
        rule.include(model, "expert")
    else:
        use_branching_rule(model, "vanillafullstrong")
        model.setParam("branching/vanillafullstrong/idempotent", True)
        model.setParam("branching/vanillafullstrong/scoreall", True)
        model.setParam("branching/vanillafullstrong/priority", PRIORITY - 1)
    model.optimize()
    rule.raise_error()
    return log.log, model.getStatus(), model.getNTotalNodes(), model.getNLPIterations()


@pytest.mark.parametrize("setting", ["default", "learn2branch"])
@pytest.mark.parametrize("name", REAL)
def test_the_expert_is_scips_on_ten_seeds_of_real_instances(name, setting, test_data):
    (path,) = (test_data / "miplib").glob(f"{name}.*")
    for seed in range(10):
        trees = []
        for ours in (True, False):
            model = pyscipopt.Model()
            model.hideOutput()
            model.readProblem(str(path))
            trees.append(tree(model, ours=ours, setting=setting, seed=seed))
        assert trees[0] == trees[1], seed


@pytest.mark.parametrize("family", FAMILIES)
def test_the_expert_is_scips_on_five_instances_of_every_family(family):
    for seed in range(5):
        instance = from_name(f"{family}-milplib-small").generate(seed)
        trees = [
            tree(instance.to_scip(), ours=ours, setting="default", seed=seed)
            for ours in (True, False)
        ]
        assert trees[0] == trees[1], seed


@pytest.mark.parametrize("family", FAMILIES)
def test_one_two_and_three_workers_give_the_same_bytes(family, tmp_path):
    folder = tmp_path / family
    folder.mkdir()
    for seed in range(6):
        from_name(f"{family}-milplib-small").generate(seed).write(folder / f"{seed}.lp")
    contents = []
    for workers in (1, 2, 3):
        out = tmp_path / str(workers)
        collect(
            [folder],
            out=out,
            workers=workers,
            samples_per_instance=5,
            expert_probability=0.2,
            label_children=True,
        )
        contents.append({path.name: path.read_bytes() for path in out.iterdir()})
    assert contents[0] == contents[1] == contents[2]


def test_real_instances_give_the_same_bytes_in_any_company(test_data, tmp_path):
    together = collect(
        [test_data / "miplib"],
        out=tmp_path / "all",
        workers=2,
        samples_per_instance=5,
        expert_probability=0.2,
    )
    for path in sorted((test_data / "miplib").iterdir()):
        if path.suffix == ".csv":
            continue
        folder = tmp_path / path.name / "miplib"
        folder.mkdir(parents=True)
        (folder / path.name).write_bytes(path.read_bytes())
        alone = collect(
            [folder], out=tmp_path / path.name / "s", samples_per_instance=5, expert_probability=0.2
        )
        name = f"miplib/{path.name}"
        same = [sample for sample in together if sample.tree.instance == name]
        assert len(alone) == len(same)
        for left, right in zip(alone, same, strict=True):
            assert left.node == right.node
            assert np.array_equal(left.scores, right.scores)
            assert np.array_equal(left.state.variable_features, right.state.variable_features)
