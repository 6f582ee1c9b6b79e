"""Names to choose from are enums of the strings in files, and arguments accept the strings."""

from __future__ import annotations

import json

import numpy as np
import pytest

import milplib.library
import milplib.policies
from milplib.evaluation.config import PolicyKind
from milplib.evaluation.policies import evaluated_policies
from milplib.learn.names import LossName, Mixture, Precision
from milplib.learn.options import GcnnOptions, TrainingOptions
from milplib.learn.training.device import Compute
from milplib.learn.training.losses import load_loss
from milplib.library.source_names import SourceName
from milplib.outcomes import Word
from milplib.policies.folded import Sums
from milplib.study.models import TrainingSet
from milplib.study.task import Stage
from milplib.tree.search_tree import STATUSES, NodeStatus, SearchTree

ENUMS: dict[type[Word], tuple[str, ...]] = {
    LossName: ("hard", "soft"),
    Mixture: ("balanced", "proportional"),
    NodeStatus: ("branched", "feasible", "infeasible", "cut off by bound", "open", "restarted"),
    PolicyKind: ("rule", "file", "shipped", "python"),
    Precision: ("float32", "bfloat16"),
    SourceName: ("site", "mirror", "generator"),
    Stage: ("generate", "collect", "train", "rules", "evaluate", "summarise"),
    Sums: ("absolute", "relative"),
    TrainingSet: ("homogeneous", "mixed", "leave-one-out"),
}


@pytest.mark.parametrize("names", ENUMS, ids=lambda names: str(names.__name__))
def test_the_values_are_the_words_in_files(names: type[Word]) -> None:
    assert tuple(names) == ENUMS[names]
    assert json.dumps(list(names)) == json.dumps(ENUMS[names])
    assert [str(name) for name in names] == [repr(name).strip("'") for name in names]


def test_options_take_the_strings_and_hold_the_names() -> None:
    assert TrainingOptions(mixture="proportional").mixture is Mixture.PROPORTIONAL
    assert GcnnOptions(sums="relative").sums is Sums.RELATIVE
    assert GcnnOptions(sums="relative") == GcnnOptions(sums=Sums.RELATIVE)
    assert Compute.choose("cpu", "bfloat16").precision is Precision.BFLOAT16
    assert load_loss("soft").name is load_loss(LossName.SOFT).name


def test_a_tree_counts_nodes_by_the_word_or_the_name() -> None:
    n = 3
    zeros = np.zeros(n, dtype=np.int64)
    tree = SearchTree(
        parent=zeros - 1,
        depth=zeros,
        order=zeros,
        status=np.array([0, 4, 4], dtype=np.int8),
        bound=np.zeros(n),
        branching=("",) * n,
        scip_nodes=n,
        solve_status="optimal",
        objective=None,
        title="",
    )
    assert tree.count("open") == tree.count(NodeStatus.OPEN) == 2
    assert sum(map(tree.count, STATUSES)) == n
    with pytest.raises(ValueError, match="closed"):
        tree.count("closed")


def test_a_rule_is_a_policy_of_the_kind_rule() -> None:
    (policy, _), _ = evaluated_policies(["pscost"], baseline="relpscost")
    assert policy.kind is PolicyKind.RULE
    assert policy.as_json() == {"label": "pscost", "kind": "rule", "sha256": ""}


def test_the_public_names_of_earlier_look_ups_stay() -> None:
    assert milplib.library.distribution("CA-easy").name == "CA-easy"
    assert milplib.library.generator_of(milplib.library.find_distribution("CA-easy")).domain == "CA"
    assert milplib.policies.model_kind is milplib.policies.find_model_kind
