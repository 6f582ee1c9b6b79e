"""What goes over edges: native code and torch operations agree, gradients are right."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from milplib.learn import GCNN, GraphDataset, SampleSet
from milplib.learn.dataset import to_batch
from milplib.learn.models import edge_sum as module
from milplib.learn.models import fit_norms
from milplib.learn.models.edge_sum import edge_moments, edge_sum
from milplib.learn.models.moments import Moments
from milplib.learn.options import NetworkOptions
from milplib.learn.training.data import TrainingData
from milplib.learn.training.trainer import Trainer
from milplib.scip.native import native_status

native = native_status().module
needs_native = pytest.mark.skipif(native is None, reason=native_status().reason)
LEVELS = native.levels() if native else ()
PATHS = [pytest.param("native", marks=needs_native), "torch"]


@pytest.fixture(params=PATHS)
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "torch":
        use_torch(monkeypatch)
    return str(request.param)


def use_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "native_module", lambda: None)


def problem(
    *,
    targets: int = 6,
    sources: int = 5,
    edges: int = 40,
    width: int = 3,
    dtype: Any = torch.float64,
    seed: int = 0,
    ordered: bool = False,
) -> Any:
    """Arguments of `edge_sum`: those with gradients, and the edges."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: Any) -> Any:
        return torch.randn(shape, generator=generator, dtype=dtype)

    ends = [
        torch.randint(0, max(size, 1), (edges,), generator=generator, dtype=torch.int32)
        for size in (targets, sources)
    ]
    if ordered:
        ends[0] = ends[0].sort().values
    given = [draw(targets, width), draw(sources, width), draw(width)]
    return [tensor.requires_grad_() for tensor in given], torch.stack(ends), draw(edges)


def direct(given: Any, edge_index: torch.Tensor, edges: torch.Tensor) -> torch.Tensor:
    """The definition, an array of all messages."""
    target, source, weight = given
    t, s = edge_index.long()
    messages = torch.relu(target[t] + edges[:, None] * weight + source[s])
    return torch.zeros_like(target).index_add(0, t, messages)


def with_gradients(
    function: Callable[..., Any], given: list[torch.Tensor], *edges: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    total = function(*given, *edges)
    weights = torch.linspace(-1, 2, total.numel(), dtype=total.dtype).reshape(total.shape)
    return total, *torch.autograd.grad((total * weights).sum(), given)


def test_gradients_are_those_of_finite_differences(path: str) -> None:
    # more edges than a piece of the torch path has
    given, *edges = problem(edges=5000)
    assert torch.autograd.gradcheck(lambda *tensors: edge_sum(*tensors, *edges), given)


def test_sum_and_gradients_are_the_definition_s(path: str) -> None:
    for width in (1, 2, 7, 16, 20, 64, 100):
        given, *edges = problem(width=width, seed=width)
        found = with_gradients(edge_sum, given, *edges)
        expected = with_gradients(lambda *a: direct(a[:3], *a[3:]), given, *edges)
        for a, b in zip(found, expected, strict=True):
            assert torch.allclose(a, b, rtol=1e-12, atol=1e-12), width


def test_integers_of_either_size_and_tensors_with_gaps_are_welcome(path: str) -> None:
    problem_of_32_bits: Any = problem(dtype=torch.float32)
    given, edge_index, edges = problem_of_32_bits
    target, source, weight = given
    expected = edge_sum(target, source, weight, edge_index, edges)
    wide = torch.stack((edge_index.long(), torch.zeros_like(edge_index).long()), dim=2)[:, :, 0]
    gaps = torch.stack((edges, edges), dim=1)[:, 0]
    columns: Any = [tensor.detach().t().contiguous().t() for tensor in given]
    assert not wide.is_contiguous()
    assert torch.equal(edge_sum(columns[0], columns[1], columns[2], wide, gaps), expected)


def test_nothing_on_a_side_or_between_them_is_no_special_case(path: str) -> None:
    few: list[dict[str, Any]] = [
        {"edges": 0},
        {"targets": 0, "sources": 0, "edges": 0},
        {"sources": 1},
    ]
    for sizes in few:
        given, *edges = problem(**sizes)
        total, *gradients = with_gradients(edge_sum, given, *edges)
        assert total.shape == given[0].shape
        assert [g.shape for g in gradients] == [tensor.shape for tensor in given]
        if not len(edges[1]):
            assert not total.any()
            assert not any(gradient.any() for gradient in gradients)


def test_what_is_no_number_stays_none(path: str) -> None:
    given, *edges = problem(dtype=torch.float32)
    with torch.no_grad():
        given[0][2, 1] = torch.nan
    assert edge_sum(*given, *edges)[2, 1].isnan()


@needs_native
@settings(deadline=None, max_examples=60)
@given(
    targets=st.integers(1, 30),
    sources=st.integers(1, 30),
    edges=st.integers(0, 600),
    width=st.integers(1, 70),
    ordered=st.booleans(),
    seed=st.integers(0, 2**20),
)
def test_every_level_gives_what_torch_gives(
    targets: int, sources: int, edges: int, width: int, ordered: bool, seed: int
) -> None:
    sizes: dict[str, Any] = {"targets": targets, "sources": sources, "edges": edges, "width": width}
    given, *ends = problem(**sizes, ordered=ordered, seed=seed, dtype=torch.float32)
    with pytest.MonkeyPatch.context() as patch:
        use_torch(patch)
        expected = with_gradients(edge_sum, given, *ends)
        moments = joined(edge_moments(*(t.detach() for t in given), *ends)) if edges else None
    for level in LEVELS:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "forced_level", lambda level=level: level)
            found = with_gradients(edge_sum, given, *ends)
            for a, b in zip(found, expected, strict=True):
                scale = max(1, *b.abs().flatten().tolist())
                assert torch.allclose(a, b, rtol=1e-5, atol=1e-5 * scale), level
            ours = joined(edge_moments(*(t.detach() for t in given), *ends))
            assert ours.count == edges * width
            if moments is not None:
                assert torch.allclose(ours.mean, moments.mean, rtol=1e-5, atol=1e-6)
                assert torch.allclose(ours.variance, moments.variance, rtol=1e-5, atol=1e-9)


def joined(pieces: list[Moments]) -> Moments:
    first, *others = pieces
    for other in others:
        first = first.joined(other)
    return first


def test_moments_of_what_never_varies_and_of_what_hardly_does(path: str) -> None:
    index, edges = torch.tensor([[0, 0, 1], [0, 1, 1]]), torch.zeros(3)
    same = (torch.full((2, 20), 1 / 3), torch.zeros(2, 20), torch.ones(20))
    assert joined(edge_moments(*same, index, edges)).variance.item() == 0.0
    nearly = (torch.full((2, 20), 1000.0), torch.zeros(2, 20), torch.ones(20))
    found = joined(edge_moments(*nearly, index, torch.tensor([0.0, 0.25, 0.5])))
    assert found.mean.item() == pytest.approx(1000.25, rel=1e-12)
    assert found.variance.item() == pytest.approx(0.125 / 3, rel=1e-9)


def test_moments_join_as_if_they_had_been_one() -> None:
    values = torch.linspace(-3, 9, 40).reshape(20, 2) + 100
    found = joined([Moments.of(part) for part in values.split(7)])
    assert found.count == 20
    assert torch.allclose(found.mean, values.double().mean(0))
    assert torch.allclose(found.variance, values.double().var(0, correction=0))


@pytest.mark.slow
@needs_native
def test_the_same_seed_gives_the_same_losses_on_both_paths(
    sample_sets: dict[str, SampleSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    def losses() -> Any:
        options = NetworkOptions(epochs=4, batch_size=4, blocks=("pseudocost",))
        data = TrainingData.open([sample_sets["auction"].folder], options=options, seed=3)
        model = GCNN(n_block_columns=3, generator=torch.Generator().manual_seed(3))
        trainer = Trainer(model, data, options=options, seed=3)
        fit_norms(model, lambda: trainer.batches(0))
        records = [trainer.epoch() for _ in range(options.epochs)]
        return [value for r in records for value in (r.training_loss, r.validation["loss"])]

    found = losses()
    use_torch(monkeypatch)
    assert found == pytest.approx(losses(), rel=1e-4)


@needs_native
def test_norms_are_those_of_the_torch_path(
    sample_sets: dict[str, SampleSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    graphs = to_batch(list(GraphDataset([sample_sets["auction"], sample_sets["set_cover"]])))
    models = [GCNN(generator=torch.Generator().manual_seed(1)) for _ in range(2)]
    fit_norms(models[0], lambda: [graphs])
    use_torch(monkeypatch)
    fit_norms(models[1], lambda: [graphs])
    others = dict(models[1].named_buffers())
    for name, buffer in models[0].named_buffers():
        assert torch.allclose(buffer, others[name], rtol=1e-5), name


def arrays(dtype: type[Any] = np.float32) -> list[Any]:
    """Arguments of the native functions."""
    (target, source, weight), ends, edges = problem(width=20)
    floats = [t.detach().numpy().astype(dtype) for t in (target, source, weight)]
    return [*floats, ends.numpy(), edges.numpy().astype(dtype)]


def outputs(given: list[npt.NDArray[Any]]) -> list[npt.NDArray[np.float32]]:
    """What edge_gradient writes into."""
    return [np.ones_like(given[0]), *(np.empty_like(array) for array in given[:3])]


BAD: dict[str, Any] = {
    "another type": lambda a: a.astype(np.float16),
    "integers": lambda a: a.astype(np.int64),
    "the other precision": lambda a: a.astype(np.float64 if a.dtype == np.float32 else np.float32),
    "one axis more": lambda a: a[None],
    "one axis less": lambda a: a.ravel() if a.ndim > 1 else a[0],
    "one line more": lambda a: np.concatenate((a, a[:1])),
    "one column less": lambda a: a[..., :-1],
    "gaps": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "no array": lambda a: a.tolist(),
    "nothing": lambda a: None,
}


@needs_native
@pytest.mark.parametrize("place", range(9))
@pytest.mark.parametrize("change", BAD)
def test_what_does_not_fit_is_an_error_of_python(place: int, change: str) -> None:
    given = arrays()
    given += outputs(given)
    given[place] = BAD[change](given[place])
    with pytest.raises((TypeError, ValueError)):
        native.edge_gradient(*given)


@needs_native
def test_ends_out_of_range_and_numbers_that_are_none_are_named() -> None:
    for row in (0, 1):
        for wrong in (-1, 6 - row, 2**31 - 1, -(2**31)):
            given = arrays()
            given[3][row, 5] = wrong
            with pytest.raises(ValueError, match=rf"edge_index\[{row}\] holds {wrong} at"):
                native.edge_sum(*given, np.empty_like(given[0]))
    given = arrays(np.float64)
    given[4][7] = np.inf
    with pytest.raises(ValueError, match="edge_features holds a number that is not finite"):
        native.edge_moments(*given)
    given = arrays()
    out = np.empty_like(given[0])
    out.flags.writeable = False
    with pytest.raises(TypeError, match="out must be writable"):
        native.edge_sum(*given, out)
    with pytest.raises(ValueError, match="no level 'mmx'"):
        native.edge_sum(*given, np.empty_like(given[0]), "mmx")


@pytest.mark.slow
@needs_native
def test_without_native_code_training_takes_the_torch_path() -> None:
    # The variable is read with the first milplib import: each child imports it anew, and only
    # torch comes from their parent.
    code = (
        "import json, os, sys, torch\n"
        "for wish in ('0', '1'):\n"
        "    child = os.fork()\n"
        "    if child:\n"
        "        status = os.waitpid(child, 0)[1]\n"
        "        assert status == 0\n"
        "        continue\n"
        "    os.environ['MILPLIB_NATIVE'] = wish\n"
        "    from milplib.learn.models.edge_sum import edge_sum, _is_native\n"
        "    x = torch.ones(1, 4)\n"
        "    total = edge_sum(x, x, x[0], torch.tensor([[0], [0]]), torch.ones(1))\n"
        "    print(json.dumps([_is_native(x), total.tolist()]))\n"
        "    sys.exit()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PATH": ""}
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert found == [[native, [[3.0] * 4]] for native in (False, True)]
