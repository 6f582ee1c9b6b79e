"""On a GPU the same network is trained: scores, gradients and norms are those of the CPU."""

from __future__ import annotations

import copy
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from narrowing import present

import milplib
from milplib.learn import GCNN, SampleSet, train
from milplib.learn.dataset import GraphDataset, to_batch
from milplib.learn.models import fit_norms
from milplib.learn.models.edge_sum import edge_moments, edge_sum
from milplib.learn.training import load_loss
from milplib.learn.training.device import Compute
from milplib.policies import read_policy

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")

SMALL: dict[str, Any] = {"hidden": 16, "batch_size": 4}


@pytest.fixture(scope="module")
def batch(sample_sets: dict[str, SampleSet]) -> Any:
    """All samples of all families, in double precision: there the order of sums hardly matters."""
    graphs = GraphDataset(list(sample_sets.values()))
    found = to_batch([graphs[i] for i in range(len(graphs))])
    for name in ("variable_features", "row_features", "edge_features"):
        found[name] = found[name].double()
    return found


@pytest.mark.parametrize("edges", [0, 1, 100_000])
def test_sums_over_edges_and_their_gradients_are_those_of_the_cpu(edges: int) -> None:
    generator = torch.Generator().manual_seed(0)
    target, source, edge = (
        torch.randn(shape, generator=generator, dtype=torch.float64)
        for shape in ((700, 8), (300, 8), (8,))
    )
    ends = [torch.randint(0, n, (edges,), generator=generator) for n in (700, 300)]
    features = torch.randn(edges, generator=generator, dtype=torch.float64)
    found: Any = []
    for device in ("cpu", "cuda"):
        given: Any = [
            tensor.to(device).clone().requires_grad_() for tensor in (target, source, edge)
        ]
        others: Any = torch.stack(ends).to(device), features.to(device)
        total = edge_sum(*given, *others)
        total.square().sum().backward()
        moments = edge_moments(*[tensor.detach() for tensor in given], *others)
        joined: Any = moments[0] if moments else None
        for other in moments[1:]:
            joined = joined.joined(other)
        found.append((total, *(tensor.grad for tensor in given), joined))
    *mine, moments = found[0]
    *theirs, other_moments = found[1]
    for tensor, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(other.cpu(), tensor, rtol=1e-9, atol=1e-9)
    assert (moments is None) == (other_moments is None)
    if moments is not None and moments.count:
        assert other_moments.count == moments.count
        assert float(other_moments.mean) == pytest.approx(float(moments.mean), rel=1e-9)
        assert float(other_moments.squares) == pytest.approx(float(moments.squares), rel=1e-9)


def test_norms_scores_and_gradients_of_the_network_are_those_of_the_cpu(batch: Any) -> None:
    on_cpu = GCNN(hidden=16, generator=torch.Generator().manual_seed(0)).double()
    on_gpu = copy.deepcopy(on_cpu).cuda()
    loss = load_loss("hard")
    for model, data in ((on_cpu, batch), (on_gpu, batch.clone().cuda())):
        fit_norms(model, partial(list, [data]))
        loss(model(data), data).mean().backward()
    with torch.no_grad():
        mine, other = on_cpu(batch), on_gpu(batch.clone().cuda()).cpu()
    torch.testing.assert_close(other, mine, rtol=1e-8, atol=1e-8)
    gradients = dict(on_gpu.named_parameters())
    for name, parameter in on_cpu.named_parameters():
        torch.testing.assert_close(
            present(gradients[name].grad).cpu(), parameter.grad, rtol=1e-7, atol=1e-9, msg=name
        )


def test_auto_takes_the_gpu() -> None:
    assert Compute.choose("auto").is_cuda


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_training_on_the_gpu_gives_a_policy_that_solves_on_the_cpu(
    precision: str, sample_sets: dict[str, SampleSet], tmp_path: Path
) -> None:
    folder = sample_sets["auction"].folder
    found = {
        device: train(
            [folder],
            out=tmp_path / f"{device}.safetensors",
            epochs=5,
            device=device,
            precision=precision,
            **SMALL,
        )
        for device in ("cpu", "cuda")
    }
    tolerance = 1e-3 if precision == "float32" else 0.1
    for mine, other in zip(found["cpu"].history, found["cuda"].history, strict=True):
        assert other.training_loss == pytest.approx(mine.training_loss, rel=tolerance)
    policy = found["cuda"].policy
    assert set(read_policy(policy).tensors) == set(read_policy(found["cpu"].policy).tensors)
    instance = milplib.generators.CombinatorialAuction(n_items=50, n_bids=150).generate(seed=0)
    solved = milplib.solve(instance, policy=policy, on_error="raise")
    assert (solved.status, solved.policy_calls > 0) == ("optimal", True)
