"""The network equals a plain one written from the paper, whatever the order of anything."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from narrowing import present
from slow_parameters import slow
from torch import nn
from torch_geometric.data import Batch

import milplib
from milplib.learn import GCNN, BranchingGraph, Sample, SampleSet
from milplib.learn.dataset import GraphDataset, to_batch, to_graph
from milplib.learn.models import fit_norms
from milplib.learn.training.export import to_module, to_policy_file
from milplib.policies import GCNN_SUMS
from milplib.policies.file import read_policy, write_policy
from milplib.policies.gcnn import gcnn_shapes


def trained_like(model: GCNN, seed: int = 1, amount: float = 0.3) -> GCNN:
    """Weights that are no symmetric start: biases too, and norms that do something."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            noise = torch.randn(tensor.shape, generator=generator)
            tensor.copy_(noise.abs() + 0.1 if name.endswith("scale") else tensor + amount * noise)
    return model


def naive_scores(model: GCNN, graph: BranchingGraph) -> torch.Tensor:
    """The published network, edge by edge, its last layer inside the message."""

    def norm(layer: Any, x: Any) -> Any:
        return (x + (0 if layer.shift is None else layer.shift)) * layer.scale

    n_edges = len(graph.edge_features)
    is_relative = model.sums == "relative"

    def convolve(c: Any, targets: Any, sources: Any, ends: Any, edges: Any) -> Any:
        total = torch.zeros_like(targets)
        for t, s, e in zip(*ends, edges, strict=True):
            inner = c.target(targets[t]) + c.edge(e) + c.source(sources[s])
            message = c.message(torch.relu(norm(c.message_norm, inner)))
            weight = len(targets) / n_edges if is_relative else 1.0
            total = total.index_add(0, t[None], message[None] * weight)
        joined = torch.cat((norm(c.output_norm, total), targets), dim=1)
        return torch.relu(c.output[2](torch.relu(c.output[0](joined))))

    def embed(layers: Any, x: Any) -> Any:
        return torch.relu(layers[2](torch.relu(layers[0](x))))

    v = embed(model.variable_embedding, norm(model.variable_norm, graph.variable_features))
    r = embed(model.row_embedding, norm(model.row_norm, graph.row_features))
    scale = (n_edges / len(r)) ** 0.5 if is_relative else 1.0
    edges = norm(model.edge_norm, graph.edge_features[:, None] * scale)
    row, column = graph.edge_index.long()
    r = convolve(model.to_rows, r, v, (row, column), edges)
    v = convolve(model.to_variables, v, r, (column, row), edges)
    x = v[graph.candidates]
    if model.block_norm is not None:
        x = torch.cat((x, norm(model.block_norm, graph.block_features)), dim=1)
    result: torch.Tensor = model.head[2](torch.relu(model.head[0](x)))[:, 0]
    return result


def doubled(graph: BranchingGraph) -> BranchingGraph:
    """The graph in double precision, where equal means equal whatever the order of sums."""
    graph = graph.clone()
    for name in ("variable_features", "row_features", "edge_features", "block_features"):
        graph[name] = graph[name].double()
    return graph


def small(graph: BranchingGraph, rows: int = 12) -> BranchingGraph:
    """A graph with its first rows alone, to keep a loop over edges short."""
    keep = graph.edge_index[0] < rows
    graph = graph.clone()
    graph.row_features = graph.row_features[:rows]
    graph.edge_index, graph.edge_features = graph.edge_index[:, keep], graph.edge_features[keep]
    graph.sizes = torch.tensor([[rows, len(graph.variable_features), int(keep.sum())]])
    return graph


def test_names_and_shapes_are_those_of_policy_files() -> None:
    for columns in (0, 3):
        model = GCNN(hidden=16, n_block_columns=columns)
        found = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
        assert found == gcnn_shapes(16, columns)


def test_weights_start_orthogonal_biases_at_zero_and_a_seed_decides() -> None:
    models = [GCNN(hidden=8, generator=torch.Generator().manual_seed(s)) for s in (0, 0, 1)]
    states = [model.state_dict() for model in models]
    assert all(map(torch.equal, states[0].values(), states[1].values()))
    assert not torch.equal(states[0]["head.0.weight"], states[2]["head.0.weight"])
    for name, parameter in models[0].named_parameters():
        if name.endswith("bias"):
            assert not parameter.any()
        else:
            gram = (
                parameter @ parameter.T
                if len(parameter) <= parameter.shape[1]
                else (parameter.T @ parameter)
            )
            assert torch.allclose(gram, torch.eye(len(gram)), atol=1e-5), name


@pytest.mark.parametrize(
    ("blocks", "sums"), [slow(0, "absolute"), (11, "absolute"), slow(0, "relative")]
)
def test_scores_and_gradients_are_those_of_the_published_network(
    samples: list[Sample], sample_sets: dict[str, SampleSet], blocks: int, sums: str
) -> None:
    model = trained_like(GCNN(hidden=8, n_block_columns=blocks, sums=sums)).double()
    recorded = sample_sets["auction"].blocks if blocks else ()
    graphs = [small(to_graph(sample, blocks=recorded)) for sample in samples[:2] + samples[-1:]]
    for graph in map(doubled, graphs):
        weights = torch.linspace(-1, 2, len(graph.candidates)).double()
        results = []
        for scores in (model(graph), naive_scores(model, graph)):
            model.zero_grad()
            (scores * weights).sum().backward()
            gradients = {name: present(p.grad).clone() for name, p in model.named_parameters()}
            results.append((scores.detach(), gradients))
        (scores, gradients), (expected, expected_gradients) = results
        assert torch.allclose(scores, expected, rtol=1e-9)
        for name, gradient in gradients.items():
            scale = float(expected_gradients[name].abs().max())
            assert (gradient - expected_gradients[name]).abs().max() <= 1e-9 * max(1, scale), name


@pytest.mark.parametrize("sums", GCNN_SUMS)
def test_a_batch_scores_as_its_graphs_one_by_one(samples: list[Sample], sums: str) -> None:
    model = trained_like(GCNN(hidden=16, sums=sums)).double()
    graphs = [doubled(to_graph(sample)) for sample in samples]
    with torch.no_grad():
        alone = torch.cat([model(graph) for graph in graphs])
        for together in (model(to_batch(graphs)), model(Batch.from_data_list(graphs))):
            assert torch.allclose(together, alone, rtol=1e-9, atol=1e-9)


def test_other_orders_of_rows_columns_and_edges_permute_the_scores(samples: list[Sample]) -> None:
    model = trained_like(GCNN(hidden=16)).double()
    generator = torch.Generator().manual_seed(5)
    for sample in samples[::7]:
        graph = doubled(to_graph(sample))
        n, m = len(graph.variable_features), len(graph.row_features)
        columns, rows = (torch.randperm(size, generator=generator) for size in (n, m))
        order = torch.randperm(len(graph.edge_features), generator=generator)
        chosen = torch.randperm(len(graph.candidates), generator=generator)
        other = graph.clone()
        other.variable_features = torch.empty_like(graph.variable_features)
        other.variable_features[columns] = graph.variable_features
        other.row_features = torch.empty_like(graph.row_features)
        other.row_features[rows] = graph.row_features
        row, column = graph.edge_index.long()
        other.edge_index = torch.stack((rows[row], columns[column]))[:, order]
        other.edge_features = graph.edge_features[order]
        other.candidates = columns[graph.candidates][chosen]
        with torch.no_grad():
            assert torch.allclose(model(other), model(graph)[chosen], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("sums", GCNN_SUMS)
def test_norms_are_the_direct_statistics_layer_by_layer(
    sample_sets: dict[str, SampleSet], sums: str
) -> None:
    graphs = list(GraphDataset([sample_sets["auction"]], blocks=["pseudocost"]))[:9]
    generator = torch.Generator().manual_seed(0)
    model = GCNN(hidden=8, n_block_columns=3, sums=sums, generator=generator)
    fit_norms(model, lambda: map(to_batch, (graphs[:4], graphs[4:8], graphs[8:])))
    whole = to_batch(graphs)
    edges, weights = whole.edge_features, [torch.ones(1), torch.ones(1)]
    if sums == "relative":
        rows, variables, entries = (
            torch.tensor([len(g[name]) for g in graphs])
            for name in ("row_features", "variable_features", "edge_features")
        )
        edges = torch.cat(
            [g.edge_features * (len(g.edge_features) / len(g.row_features)) ** 0.5 for g in graphs]
        )
        weights = [torch.repeat_interleave(size / entries, size) for size in (rows, variables)]

    def check(norm: Any, x: Any, names: Any = None) -> None:
        x = x.double()
        mean, variance = x.mean(0), x.var(0, correction=0)
        # a constant column keeps its scale; in float64 its variance is a rounding error
        scale = torch.where(variance > 1e-20, variance, 1.0).rsqrt()
        assert torch.allclose(norm.scale.double(), scale, rtol=1e-4)
        if norm.shift is not None:
            assert torch.allclose(norm.shift.double(), -mean, rtol=1e-4, atol=1e-6)

    check(model.variable_norm, whole.variable_features)
    check(model.row_norm, whole.row_features)
    check(model.edge_norm, edges[:, None])
    check(model.block_norm, whole.block_features)
    with torch.no_grad():
        v, r = model.embed(whole)
        e = model.edge_norm(edges)[:, None]
        row, column = whole.edge_index.long()
        heard = [v]  # what each convolution hears: the variables, then the rows that it gives
        for c, targets, t, s, weight in (
            (model.to_rows, r, row, column, weights[0]),
            (model.to_variables, v, column, row, weights[1]),
        ):
            sources = heard[-1]
            inner = c.target(targets)[t] + c.edge(e) + c.source(sources)[s]
            check(c.message_norm, inner.reshape(-1, 1))
            messages = c.message(torch.relu(inner * c.message_norm.scale))
            total = torch.zeros_like(targets).index_add(0, t, messages) * weight[:, None]
            check(c.output_norm, total.reshape(-1, 1))
            joined = torch.cat((total * c.output_norm.scale, targets), dim=1)
            heard.append(torch.relu(c.output(joined)))


@pytest.mark.parametrize("sums", GCNN_SUMS)
@pytest.mark.parametrize("blocks", [slow(()), slow(("pseudocost",)), ("tree", "pseudocost")])
def test_numpy_scores_a_saved_policy_as_torch_does(
    samples: list[Sample],
    sample_sets: dict[str, SampleSet],
    blocks: tuple[Any, ...],
    sums: str,
    tmp_path: Path,
) -> None:
    recorded = {block.name: block for block in sample_sets["auction"].blocks}
    schemas = [recorded[name] for name in blocks]
    columns = sum(len(block.columns) for block in schemas)
    generator = torch.Generator().manual_seed(3)
    model = GCNN(n_block_columns=columns, sums=sums, generator=generator)
    graphs = [to_graph(sample, blocks=schemas) for sample in samples]
    fit_norms(model, lambda: [to_batch(graphs)])
    trained_norms = {n: t.clone() for n, t in model.named_buffers()}
    trained_like(model, amount=0.05)  # as far as training goes: scores of the order of 1
    for name, buffer in model.named_buffers():
        buffer.copy_(trained_norms[name])
    path = tmp_path / "policy.safetensors"
    write_policy(path, to_policy_file(model.state_dict(), hidden=64, sums=sums, blocks=schemas))
    policy: Any = milplib.load_policy(path)
    for sample in samples:
        for k in (1, 2, len(sample.scores)):
            state = dataclasses.replace(
                sample.state,
                candidates=sample.state.candidates[:k],
                blocks={
                    name: block[:k] if len(block) > 1 else block
                    for name, block in sample.state.blocks.items()
                },
            )
            part = dataclasses.replace(
                sample, state=state, scores=sample.scores[:k], valid=sample.valid[:k]
            )
            with torch.no_grad():
                expected = model(to_graph(part, blocks=schemas)).numpy()
            found = np.asarray(policy.score(state))
            assert found.shape == (k,)
            assert (abs(found - expected) <= 1e-5 * np.maximum(1, abs(expected))).all()
    again = to_module(read_policy(path))
    assert again.sums == sums
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name


def test_mixed_precision_scores_nearly_as_full_precision(samples: list[Sample]) -> None:
    model = GCNN(generator=torch.Generator().manual_seed(0))
    batch = to_batch([to_graph(sample) for sample in samples[:8]])
    fit_norms(model, lambda: [batch])
    full = model(batch)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = model(batch)
    assert mixed.dtype == torch.float32
    # bfloat16 keeps 8 bits
    assert (mixed - full).abs().max() < 0.05 * full.abs().max()
    mixed.sum().backward()
    assert all(torch.isfinite(present(p.grad)).all() for p in model.parameters())
    assert isinstance(model.head[0], nn.Linear)
