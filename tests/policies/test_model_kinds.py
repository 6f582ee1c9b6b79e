"""The registry of kinds of models: what is declared, found by name, and refused."""

from __future__ import annotations

import inspect
from dataclasses import FrozenInstanceError, fields, is_dataclass
from importlib.util import find_spec
from typing import Any

import pytest

from milplib.cli.training import train as train_command
from milplib.errors import ParameterError, UnknownNameError
from milplib.learn import options
from milplib.learn.dataset import MIXTURES
from milplib.policies import ARCHITECTURES, find_model_kind, model_kind_names
from milplib.policies.model_kinds import model_kinds
from milplib.policies.networks import check_network_options


def test_milplibs_kinds_are_declared_and_whole() -> None:
    assert {"gcnn", "linear", "gbdt", "extratrees", "network"} <= set(model_kind_names())
    assert {"gcnn", "linear", "forest", "network"} <= set(ARCHITECTURES)
    for name, kind in model_kinds().items():
        assert kind.name == name
        assert callable(kind.fitter())
        assert all(callable(kind.scorer(architecture)) for architecture in kind.scorers)
        assert all(map(find_spec, kind.packages))
        for made in (kind.options(), kind.run_options()):
            assert is_dataclass(made)
            with pytest.raises(FrozenInstanceError):
                setattr(made, fields(made)[0].name, None)


def test_the_command_line_has_an_option_for_each_field_of_each_kind() -> None:
    flags = set(inspect.signature(train_command).parameters)
    others = {"model_options": "model_option", "cache_bytes": "cache_gigabytes"}
    for kind in model_kinds().values():
        names = {f.name for made in (kind.options, kind.run_options) for f in fields(made)}
        assert {others.get(name, name) for name in names} <= flags


def test_ways_of_mixing_have_one_list_of_names() -> None:
    assert tuple(MIXTURES) == options.MIXTURES


def test_an_unknown_kind_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="unknown kind of model 'gcn': did you mean gcnn"):
        find_model_kind("gcn")
    with pytest.raises(ParameterError, match="no class of torch modules"):
        find_model_kind("collections:Counter")
    with pytest.raises(ParameterError, match="the model is 3"):
        find_model_kind(3)
    with pytest.raises(KeyError):
        ARCHITECTURES["none"]


def test_options_of_a_network_are_checked_by_its_constructor() -> None:
    class Net:
        def __init__(self, size: Any, *, depth: int = 2, n_block_columns: int = 0) -> None:
            pass

    check_network_options(Net, {"size": 3, "depth": None})
    for wrong, words in (
        ({}, "size is not given, and Net has no default"),
        ({"size": 1, "width": 2}, "width is no option of Net; it takes size, depth"),
        ({"size": float("nan")}, "no JSON value"),
        ({"size": {1: 2}}, "no JSON value"),
        ({"size": 1, "n_block_columns": 4}, "n_block_columns is no option"),
    ):
        with pytest.raises(ParameterError, match=words):
            check_network_options(Net, wrong)
