"""Arguments of public functions are checked against their annotations."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyscipopt
import pytest

import milplib
from milplib.arguments import check_fields, checked
from milplib.errors import MilplibError, ParameterError
from milplib.generators import CombinatorialAuction
from milplib.learn import collect
from milplib.policies import family_features, portfolio_of, write_families
from milplib.scip import branching_candidates, extract_state, strong_branching
from milplib.structure import instance_statistics

if TYPE_CHECKING:
    from milplib.nowhere import Unknown  # type: ignore[import-not-found]  # for the annotation

INSTANCE = CombinatorialAuction(n_items=20, n_bids=60).generate(seed=0)
WRONG: list[Any] = [None, 1.5, "folder", b"x", [1], {"a": 1}, object, np.zeros(3), INSTANCE]


@checked
def call(
    number: int = 0,
    *,
    path: str | os.PathLike[str] | None = None,
    model: pyscipopt.Model | None = None,
    function: Callable[[Unknown], None] = print,
    free: Unknown | None = None,
    text: str = "",
    seconds: float | None = None,
) -> tuple[Any, ...]:
    return number, path, model, function, free, text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"number": "3"}, "number is '3'; it must be an integer"),
        ({"number": True}, "number is True; it must be an integer"),
        ({"number": 2**63}, "it does not fit 64 bits"),
        ({"path": 3}, "path is 3; it must be a path or None"),
        ({"model": INSTANCE}, "it must be a pyscipopt.Model or None"),
        ({"function": 3}, "function is 3; it must be a function"),
        ({"text": "a\0b"}, "text is 'a.x00b'; it must not contain a zero byte"),
        ({"nmber": 3}, r"call\(\) got an unexpected keyword argument 'nmber'"),
    ],
)
def test_a_wrong_argument_is_named_with_what_it_may_be(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        call(**arguments)


def test_arguments_of_types_that_only_checkers_import_are_left_to_the_function() -> None:
    assert call(free=WRONG)[4] is WRONG


def test_numbers_of_numpy_become_numbers_that_json_and_scip_take() -> None:
    @dataclass(frozen=True)
    class Limits:
        nodes: int
        seconds: float
        is_exact: bool

        def __post_init__(self) -> None:
            check_fields(self)

    limits = Limits(np.int32(3), np.float32(0.5), np.bool_(True))  # type: ignore[arg-type]
    assert json.dumps(vars(limits)) == '{"nodes": 3, "seconds": 0.5, "is_exact": true}'
    assert type(call(np.int64(3))[0]) is int  # type: ignore[arg-type]


def test_a_collection_takes_numbers_of_numpy(tmp_path: Path) -> None:
    one: Any = np.int64(1)
    samples = collect(
        [INSTANCE], out=tmp_path / "s", samples_per_instance=one, seed=one, node_limit=one
    )
    assert samples.folder == tmp_path / "s"


def test_a_call_that_lacks_an_argument_says_which() -> None:
    evaluate: Any = milplib.evaluate
    with pytest.raises(ParameterError, match=r"evaluate\(\) lacks a required argument: 'policies'"):
        evaluate([INSTANCE])


@pytest.mark.parametrize("wrong", WRONG, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(
    "function",
    [
        branching_candidates,
        extract_state,
        family_features,
        instance_statistics,
        portfolio_of,
        strong_branching,
        lambda value: milplib.include_policy(INSTANCE.to_scip(), "pscost", max_depth=10**9),
        lambda value: write_families("families.json", value),
    ],
)
def test_a_wrong_argument_is_an_error_of_milplib(function: Any, wrong: Any) -> None:
    if wrong is INSTANCE and function in (family_features, instance_statistics):
        return
    with pytest.raises(MilplibError):
        function(wrong)


def test_outside_a_node_there_are_no_candidates() -> None:
    for function in (branching_candidates, strong_branching, extract_state):
        with pytest.raises(MilplibError, match="no LP solved"):
            function(INSTANCE.to_scip())


@pytest.mark.parametrize("count", [2**63, -(2**63) - 1, 10**20, 10**400])
def test_an_integer_that_no_file_could_give_back_is_refused(count: int) -> None:
    with pytest.raises(ParameterError, match=r"number is .*; it does not fit 64 bits"):
        call(number=count)
    with pytest.raises(ParameterError, match=r"seconds is .*; it does not fit 64 bits"):
        call(number=1, seconds=count)
    call(number=2**63 - 1, seconds=1e300)
