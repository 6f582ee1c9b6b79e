"""Losses and metrics of scores, by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from narrowing import present

from milplib.learn import Sample
from milplib.learn.dataset import to_batch, to_graph
from milplib.learn.training.losses import LOSSES, HardLabels, SoftTargets
from milplib.learn.training.metrics import Judgement, judge, mean_metrics


def test_ties_share_the_label_and_missing_scores_do_not_count(samples: list[Sample]) -> None:
    graphs = [to_graph(sample) for sample in samples[:5]]
    graphs[0].valid[1:] = graphs[0].tied[1:]
    batch = to_batch(graphs)
    scores = torch.randn(len(batch.candidates), generator=torch.Generator().manual_seed(0))
    hard, soft = HardLabels()(scores, batch), SoftTargets(temperature=0.2)(scores, batch)
    start = 0
    for number, graph in enumerate(graphs):
        k = len(graph.candidates)
        own = scores[start : start + k][graph.valid].double()
        start += k
        log_share = torch.log_softmax(own, 0)
        tied = graph.tied[graph.valid].double()
        assert hard[number].item() == pytest.approx(
            -(tied / tied.sum() * log_share).sum().item(), rel=1e-5
        )
        expert = graph.scores[graph.valid]
        weight = torch.softmax(-(expert.max() - expert) / expert.max().abs() / 0.2, 0)
        assert soft[number].item() == pytest.approx(-(weight * log_share).sum().item(), rel=1e-4)


@pytest.mark.parametrize("name", LOSSES)
def test_a_candidate_without_a_score_gets_no_gradient(name: str, samples: list[Sample]) -> None:
    graph = to_graph(samples[0])
    graph.valid[0] = False
    graph.tied[0] = False
    if not graph.tied.any():
        graph.tied[1] = True
    scores = torch.zeros(len(graph.candidates), requires_grad=True)
    LOSSES[name]()(scores, to_batch([graph])).sum().backward()
    assert present(scores.grad)[0] == 0
    assert torch.isfinite(present(scores.grad)).all()


def test_metrics_by_hand() -> None:
    expert = np.array([4.0, 8.0, 8.0 - 1e-6, 1.0])
    columns = np.arange(4)
    assert judge(np.array([0, 0, 9, 0]), candidates=columns, expert=expert).rank == 1  # a tie
    second = judge(np.array([9.0, 5.0, 0.0, 0.0]), candidates=columns, expert=expert)
    assert (second.rank, second.regret) == (2, 0.5)
    # equal scores: the lowest column is chosen
    assert judge(np.zeros(4), candidates=np.array([3, 2, 1, 0]), expert=expert).regret == 0.875
    metrics = mean_metrics([Judgement(rank=1, regret=0.0), Judgement(rank=7, regret=0.5)])
    assert metrics.accuracy == (0.5, 0.5, 0.5, 1.0)
    assert metrics.regret == 0.25
    few = judge(np.array([1.0, 2.0]), candidates=np.arange(2), expert=np.array([2.0, 1.0]))
    assert mean_metrics([few]).accuracy == (0.0, 1.0, 1.0, 1.0)  # fewer than k candidates
