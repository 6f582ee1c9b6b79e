"""Samples are read back as the states that were extracted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from market_split import market_split
from pyscipopt import SCIP_PARAMSETTING, SCIP_RESULT

from milplib.files import atomic_write
from milplib.generators import CapacitatedFacilityLocation, CombinatorialAuction, SetCover
from milplib.learn import SampleSet, collect
from milplib.learn.samples import (
    Label,
    NodePosition,
    SampleSchema,
    TreeRecorder,
)
from milplib.learn.samples.sample_set import tied_with_best
from milplib.learn.samples.shards import Manifest, ShardEntry, TreeEntry, write_batches
from milplib.library import InstanceGenerator
from milplib.scip import (
    apply_setting,
    branching_candidates,
    extract_state,
    strong_branching,
)
from milplib.scip.rule import GuardedRule

from .stored_samples import FUNCTIONS, assert_equal_states

FAMILIES: dict[str, InstanceGenerator] = {
    "set cover": SetCover(n_rows=200, n_columns=300, density=0.05),
    "auction": CombinatorialAuction(n_items=50, n_bids=200),
    "facility location": CapacitatedFacilityLocation(n_customers=25, n_facilities=25),
}


class Recording(GuardedRule):
    """Keep every extracted state, and record every second one with labels."""

    def __init__(self, recorder: Any) -> None:
        super().__init__()
        self.recorder = recorder
        self.states: list[Any] = []
        self.labels: list[Any] = []

    def decide(self) -> int:
        model = self.model
        candidates = branching_candidates(model)
        state = extract_state(model, state_functions=FUNCTIONS)
        node = model.getCurrentNode()
        position = NodePosition(node=node.getNumber(), parent=-1, depth=node.getDepth())
        label = None
        if len(self.states) % 2:
            result = strong_branching(model, candidates)
            valid = result.valid.copy()
            valid[1:2] = False  # a score that is missing
            label = Label(scores=result.scores, valid=valid, chosen=result.best)
        self.recorder.record(state, position, label)
        self.states.append(state)
        self.labels.append(label)
        model.branchVar(candidates[0])
        return SCIP_RESULT.BRANCHED


def write_set(folder: Path, batches: list[Any], schema: SampleSchema) -> None:
    folder.mkdir(exist_ok=True)
    with atomic_write(folder / "shard-00000.arrow") as stream:
        write_batches(stream, batches, schema)
    entry = ShardEntry.of(folder / "shard-00000.arrow", map(TreeEntry.of, batches))
    Manifest(config={}, software={}, schema=schema, shards=(entry,)).write(folder)


@pytest.mark.parametrize("setting", ["default", "learn2branch"])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_sample_is_the_extracted_state_to_the_bit(
    family: str, setting: str, tmp_path: Path
) -> None:
    schema = SampleSchema.of(FUNCTIONS)
    recorder = TreeRecorder(schema, instance="a", instance_hash="b", episode=0, scip_seed=7)
    rule = Recording(recorder)
    model = FAMILIES[family].generate(2).to_scip()
    model.hideOutput()
    apply_setting(model, setting, seed=1)
    model.setParam("separating/maxroundsroot", 1)  # leave something to branch on
    model.setHeuristics(SCIP_PARAMSETTING.OFF)
    model.setParam("limits/nodes", 12)
    rule.include(model, "recording")
    model.optimize()
    write_set(tmp_path, recorder.batches(), schema)
    samples = SampleSet(tmp_path)
    labelled = [place for place, label in enumerate(rule.labels) if label is not None]
    assert len(samples) == recorder.n_samples == len(labelled) > 2
    assert_equal_states(samples.root_state(0), rule.states[0])
    for sample, place in zip(samples, labelled, strict=True):
        assert_equal_states(sample.state, rule.states[place])
        assert np.array_equal(sample.scores, rule.labels[place].scores)
        assert np.array_equal(sample.valid, rule.labels[place].valid)
        assert sample.scip_seed == 7


def test_other_columns_begin_a_new_part_of_the_tree(tmp_path: Path) -> None:
    """As after a restart, which presolves again: n, and so everything static, changes."""
    schema = SampleSchema.of(FUNCTIONS)
    recorder = TreeRecorder(schema, instance="a", instance_hash="b", episode=0, scip_seed=7)
    rules = []
    for n_columns in (20, 18, 20):
        model = market_split(2, n_columns=n_columns).to_scip()
        model.hideOutput()
        model.setHeuristics(SCIP_PARAMSETTING.OFF)
        model.setParam("limits/nodes", 8)
        rules.append(Recording(recorder))
        rules[-1].include(model, "recording")
        model.optimize()
    write_set(tmp_path, recorder.batches(), schema)
    samples = SampleSet(tmp_path)
    assert sorted({sample.tree.part for sample in samples}) == [0, 1, 2]
    states = [
        state
        for rule in rules
        for state, label in zip(rule.states, rule.labels, strict=True)
        if label is not None
    ]
    for sample, state in zip(samples, states, strict=True):
        assert_equal_states(sample.state, state)


def test_scores_tie_within_the_tolerance_and_missing_ones_never_do() -> None:
    assert tied_with_best(np.array([0.0, 0.0])).tolist() == [True, True]
    valid = np.array([True, False, True])
    assert tied_with_best(np.array([-1.0, 0.0, -1.0 - 1e-6]), valid).tolist() == [True, False, True]
    assert tied_with_best(np.array([1e40, 0.99e40])).tolist() == [True, False]


def test_equal_collections_give_equal_bytes(collected: Path, tmp_path: Path) -> None:
    collect(
        [collected.parent], out=tmp_path / "again", samples_per_instance=3, expert_probability=0.5
    )
    names = [path.name for path in collected.glob("*.arrow")] + ["manifest.json"]
    for name in names:
        assert (collected / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


def test_samples_are_found_by_any_index_that_a_list_takes(collected: Path) -> None:
    samples = SampleSet(collected)
    nodes = [sample.node for sample in samples]
    n = len(samples)
    assert [samples[index - n].node for index in range(n)] == nodes
    assert [sample.node for sample in samples[1::2]] == nodes[1::2]
    for index in (n, -n - 1, 10**9):
        with pytest.raises(IndexError, match=f"no sample {index} among {n}"):
            samples[index]
