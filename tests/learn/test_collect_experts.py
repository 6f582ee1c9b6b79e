"""Collecting with a cheaper expert: candidates without a score, from the shard to the metrics."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from milplib.errors import OutputError, StateError, UnknownNameError
from milplib.generators import CombinatorialAuction
from milplib.learn import SampleSet, collect, train_ranker
from milplib.learn.dataset import GraphDataset, to_batch
from milplib.learn.rankers.table import RankingTable
from milplib.learn.samples.statistics import sample_statistics
from milplib.learn.training.losses import LOSSES
from milplib.scip import EXPERTS

OPTIONS: dict[str, Any] = {
    "samples_per_instance": 3,
    "expert_probability": 1.0,
    "setting": "learn2branch",
}


@pytest.fixture(scope="module")
def auctions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("auctions")
    for seed in (1, 3, 4):
        CombinatorialAuction(n_items=40, n_bids=150).generate(seed).write(folder / f"{seed}.lp")
    return folder


@pytest.fixture(scope="module")
def listed(auctions: Path, tmp_path_factory: pytest.TempPathFactory) -> SampleSet:
    """Samples in which at most 5 candidates have a score."""
    return collect(
        [auctions], out=tmp_path_factory.mktemp("listed") / "s", expert="shortlist:5", **OPTIONS
    )


def test_a_shortlists_samples_say_which_candidates_have_no_score(listed: SampleSet) -> None:
    assert len(listed) == 9
    for sample in listed:
        assert sample.valid.sum() == min(5, len(sample.valid))
        assert not sample.scores[~sample.valid].any()
        assert sample.valid[sample.chosen]
        assert sample.scores[sample.chosen] == sample.scores.max()
        assert not (sample.tied & ~sample.valid).any()
    assert sum((~sample.valid).sum() for sample in listed) > 0


def test_the_expert_is_part_of_the_collections_identity(auctions: Path, listed: SampleSet) -> None:
    config = json.loads((listed.folder / "manifest.json").read_text())["config"]
    assert config["expert"] == "shortlist:5"
    with pytest.raises(OutputError):
        collect([auctions], out=listed.folder, **OPTIONS)
    assert len(collect([auctions], out=listed.folder, expert="shortlist:05", **OPTIONS)) == 9


@pytest.mark.slow
def test_the_default_is_the_full_expert_and_a_plain_name_is_written_out(
    auctions: Path, tmp_path: Path
) -> None:
    options: dict[str, Any] = OPTIONS | {"samples_per_instance": 1, "max_episodes": 1}
    default = collect([auctions], out=tmp_path / "default", **options)
    full = collect([auctions], out=tmp_path / "full", expert="full", **options)
    assert default.manifest.config == full.manifest.config
    shards = [sorted(samples.folder.glob("*.arrow")) for samples in (default, full)]
    assert [a.read_bytes() for a in shards[0]] == [b.read_bytes() for b in shards[1]]
    fast = collect([auctions], out=tmp_path / "fast", expert="fast", **options)
    assert fast.manifest.config["expert"] == EXPERTS["fast"].name


def test_an_expert_of_a_users_own_collects(
    auctions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_experts.py").write_text(
        "from milplib.scip import LimitedStrongBranching\n"
        "class Two:\n"
        "    name = 'two'\n"
        "    def label(self, model, candidates):\n"
        "        return LimitedStrongBranching(shortlist=2).label(model, candidates)\n"
        "class Nothing(Two):\n"
        "    def label(self, model, candidates):\n"
        "        return None\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    options: dict[str, Any] = OPTIONS | {"samples_per_instance": 1}
    samples = collect([auctions], out=tmp_path / "s", expert="my_experts:Two", **options)
    assert samples.manifest.config["expert"] == "my_experts:Two"
    assert [sample.valid.sum() for sample in samples] == [2, 2, 2]
    with pytest.raises(StateError, match=r"'two' gave NoneType.*\.lp, episode 0"):
        collect([auctions], out=tmp_path / "t", expert="my_experts:Nothing", **options)


def test_an_unknown_expert_is_refused_before_anything_is_written(
    auctions: Path, tmp_path: Path
) -> None:
    with pytest.raises(UnknownNameError, match="full"):
        collect([auctions], out=tmp_path / "s", expert="shortlist:few")
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("loss", LOSSES)
def test_no_loss_and_no_judgement_sees_a_candidate_without_a_score(
    listed: SampleSet, loss: str
) -> None:
    graphs = GraphDataset([listed])
    batch = to_batch([graphs[number] for number in range(len(graphs))])
    scores = torch.randn(len(batch.scores), generator=torch.Generator().manual_seed(0))
    changed = scores.masked_fill(~batch.valid, 1e6)
    lost, lost_after = LOSSES[loss]()(scores, batch), LOSSES[loss]()(changed, batch)
    assert lost.isfinite().all()
    assert np.array_equal(lost.numpy(), lost_after.numpy())
    table = RankingTable.of(graphs)
    judged = table.judged(scores.double().numpy())
    assert judged == table.judged(changed.double().numpy())
    assert all(0 <= judgement.regret <= 1 for judgement in judged)


def test_a_ranker_learns_from_samples_with_few_scores(listed: SampleSet, tmp_path: Path) -> None:
    result = train_ranker([listed.folder], out=tmp_path / "p.safetensors", model="linear")
    assert math.isfinite(result.metrics.loss)
    assert 0 <= result.metrics.accuracy[0] <= 1
    statistics = sample_statistics(SampleSet(listed.folder))
    assert statistics.invalid_scores > 0.3
