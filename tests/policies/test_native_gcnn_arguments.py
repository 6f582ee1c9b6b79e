"""The native network refuses what it cannot score, and never reads beyond it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyscipopt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from narrowing import present

from milplib.errors import PolicyError
from milplib.policies import GcnnPolicy

from .conftest import noise
from .native_network import GOOD, NAMES, NETWORK, arguments, folded, native


def with_value(array: npt.NDArray[Any], value: float) -> npt.NDArray[Any]:
    array = array.copy()
    array.flat[-1] = value
    return array


def read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    array = array.copy()
    array.flags.writeable = False
    return array


BAD: dict[str, tuple[type[Exception], dict[str, Any]]] = {
    "another type": (TypeError, {"variable_features": GOOD.variable_features.astype(np.float64)}),
    "long indices": (TypeError, {"edge_index": GOOD.edge_index.astype(np.int64)}),
    "unsigned indices": (TypeError, {"candidates": GOOD.candidates.astype(np.uint32)}),
    "swapped bytes": (TypeError, {"edge_features": GOOD.edge_features.astype(">f4")}),
    "objects": (TypeError, {"row_features": GOOD.row_features.astype(object)}),
    "a list": (TypeError, {"row_features": GOOD.row_features.tolist()}),
    "None": (TypeError, {"blocks": None}),
    "bytes": (TypeError, {"edge_features": GOOD.edge_features.tobytes()}),
    "too few columns": (ValueError, {"variable_features": GOOD.variable_features[:, :18].copy()}),
    "a vector": (ValueError, {"row_features": GOOD.row_features.ravel()}),
    "a matrix": (ValueError, {"edge_features": GOOD.edge_features[None]}),
    "three ends": (ValueError, {"edge_index": np.vstack((GOOD.edge_index, GOOD.edge_index[:1]))}),
    "too few values": (ValueError, {"edge_features": GOOD.edge_features[:-1].copy()}),
    "gaps": (ValueError, {"edge_features": np.repeat(GOOD.edge_features, 2)[::2]}),
    "Fortran's order": (
        ValueError,
        {"variable_features": np.asfortranarray(GOOD.variable_features)},
    ),
    "backwards": (ValueError, {"candidates": GOOD.candidates[::-1]}),
    "block columns": (ValueError, {"blocks": np.zeros((3, 2), np.float32)}),
    "block lines": (ValueError, {"blocks": np.zeros((4, 0), np.float32)}),
    "a short output": (ValueError, {"out": np.empty(2, np.float32)}),
    "a read-only output": (TypeError, {"out": read_only(np.empty(3, np.float32))}),
    "a row too far": (ValueError, {"edge_index": with_value(GOOD.edge_index.T, 6).T.copy()}),
    "a column too far": (ValueError, {"edge_index": with_value(GOOD.edge_index, 6)}),
    "a negative end": (ValueError, {"edge_index": with_value(GOOD.edge_index, -1)}),
    "a candidate too far": (ValueError, {"candidates": with_value(GOOD.candidates, 6)}),
    "a negative candidate": (ValueError, {"candidates": with_value(GOOD.candidates, -(2**31))}),
    "a candidate twice": (ValueError, {"candidates": np.array([1, 2, 1], np.int32)}),
    "NaN": (ValueError, {"variable_features": with_value(GOOD.variable_features, np.nan)}),
    "infinity": (ValueError, {"row_features": with_value(GOOD.row_features, np.inf)}),
    "a NaN edge": (ValueError, {"edge_features": with_value(GOOD.edge_features, np.nan)}),
    "no columns": (ValueError, {"variable_features": np.empty((0, 19), np.float32)}),
    "no rows": (ValueError, {"row_features": np.empty((0, 5), np.float32)}),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_arrays_are_an_error_that_names_them(what: str) -> None:
    kind, changes = BAD[what]
    (name,) = changes
    named = name if what not in ("no columns", "no rows") else "edge_index"
    with pytest.raises(kind, match=named):
        present(NETWORK).score(*arguments(**changes))


def test_read_only_inputs_are_read() -> None:
    inputs = {name: read_only(getattr(GOOD, name)) for name in NAMES}
    out, again = np.empty(3, np.float32), np.empty(3, np.float32)
    present(NETWORK).score(*arguments(out=out))
    present(NETWORK).score(*arguments(**inputs, out=again))
    assert np.array_equal(out, again)


@pytest.mark.parametrize("wrong", ["nan", "range", "twice"])
def test_a_policy_refuses_a_state_that_is_none_alike_on_both_paths(
    wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dataclasses

    changes: dict[str, dict[str, Any]] = {
        "nan": {"row_features": with_value(GOOD.row_features, np.nan)},
        "range": {"edge_index": with_value(GOOD.edge_index, -1)},
        "twice": {"candidates": np.array([1, 2, 1], np.int32)},
    }
    state = dataclasses.replace(GOOD, **changes[wrong])
    policy = GcnnPolicy(noise(), name="noise")
    with pytest.raises(PolicyError, match="'noise' cannot score this"):
        policy.score(state)
    monkeypatch.setattr(GcnnPolicy, "compiled", lambda self: None)
    with pytest.raises(PolicyError, match="'noise' cannot score this"):
        policy.score(state)


def some_array(draw: Callable[..., Any]) -> npt.NDArray[Any]:
    """An array that may be anything."""
    dtype = draw(st.sampled_from(["f4", "f8", "i4", "i8", "u1", ">f4", "?", "O", "c8"]))
    shape = draw(st.lists(st.integers(0, 5), min_size=0, max_size=3))
    array = np.zeros(shape, dtype=dtype)
    if array.size and dtype in ("f4", "i4"):
        values = st.integers(-3, 8) if dtype == "i4" else st.floats(width=32)
        array.flat[:] = draw(st.lists(values, min_size=array.size, max_size=array.size))
    if draw(st.booleans()):
        array = array.T
    if array.ndim and draw(st.booleans()):
        array = array[:: draw(st.sampled_from([2, -1]))]
    return array


@st.composite
def fuzzed_arguments(draw: st.DrawFn) -> Any:
    """Arguments of `score`, some of them wrong."""
    n, m, e, k = (draw(st.integers(0, 6)) for _ in range(4))
    floats = st.floats(-1e3, 1e3, width=32) | st.sampled_from([np.nan, np.inf, 3e38, 1e-40])

    def numbers(*shape: Any) -> Any:
        size = int(np.prod(shape))
        value = draw(floats) if draw(st.integers(0, 9)) == 0 else 0.5
        array = np.full(shape, 0.5, np.float32)
        if size:
            array.flat[draw(st.integers(0, size - 1))] = value
        return array

    def positions(*shape: Any, end: Any) -> Any:
        high = end if draw(st.integers(0, 9)) == 0 else max(0, end - 1)
        low = -1 if draw(st.integers(0, 9)) == 0 else 0
        size = int(np.prod(shape))
        drawn = draw(st.lists(st.integers(low, max(low, high)), min_size=size, max_size=size))
        return np.array(drawn, dtype=np.int32).reshape(shape)

    found = [
        numbers(n, 19),
        numbers(m, 5),
        np.vstack((positions(e, end=m), positions(e, end=n))),
        numbers(e),
        np.unique(positions(k, end=n)) if draw(st.booleans()) else positions(k, end=n),
    ]
    k = len(found[4])
    found += [np.empty((k, 0), np.float32), np.empty(k, np.float32)]
    if draw(st.booleans()):
        found[draw(st.integers(0, 6))] = some_array(draw)
    return found


@settings(max_examples=500)
@given(found=fuzzed_arguments())
def test_fuzzed_arrays_are_scored_or_refused(found: Any) -> None:
    try:
        present(NETWORK).score(*found)
    except (TypeError, ValueError):
        return
    assert found[-1].shape == found[4].shape


@settings(max_examples=200)
@given(
    hidden=st.integers(-5, 40),
    n_blocks=st.integers(-3, 5),
    tolerance=st.floats(),
    count=st.integers(0, 33),
    level=st.none() | st.sampled_from(["baseline", "avx2", "", "sse9"]),
    swap=st.integers(0, 30),
)
def test_a_network_of_wrong_tensors_is_refused(
    hidden: int, n_blocks: int, tolerance: float, count: int, level: Any, swap: int
) -> None:
    tensors = list(folded(noise(hidden=8)).tensors)[:count]
    is_right = (hidden, n_blocks, count >= 31) == (8, 0, True) and 0 <= tolerance < 1
    if swap < len(tensors):
        tensors[swap] = tensors[swap].T.astype(np.float64)
        is_right = False
    if not is_right:
        with pytest.raises((TypeError, ValueError)):
            native.Network(hidden, n_blocks, False, tolerance, tuple(tensors), level)


def test_a_decision_where_there_is_none_to_take_is_an_error() -> None:
    model = pyscipopt.Model()
    with pytest.raises(native.ScipError, match="no LP solved"):
        present(NETWORK).decide(model.to_ptr(False))
    with pytest.raises(TypeError, match="capsule"):
        present(NETWORK).judge(model)
    blocks = native.Network(8, 2, False, 1e-5, folded(noise(hidden=8, blocks=(TWO,))).tensors)
    with pytest.raises(ValueError, match="pseudocosts"):
        blocks.decide(model.to_ptr(False))


from milplib.scip import BlockSchema  # noqa: E402

TWO = BlockSchema("two", 1, ("a", "b"))


def test_weights_whose_products_overflow_are_refused() -> None:
    content = noise()
    content.tensors["row_norm.scale"][:] = 1e30
    content.tensors["row_embedding.0.weight"][:] = 1e30
    with pytest.raises(PolicyError, match="not finite in float32"):
        GcnnPolicy(content, name="huge")
