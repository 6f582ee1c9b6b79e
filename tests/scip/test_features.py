"""The columns of features: names, places, and where they are written down."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from milplib.scip import (
    BLOCKS,
    ROW_FEATURES,
    VARIABLE_FEATURES,
    Feature,
    KhalilFeature,
    PseudocostFeature,
    RowFeature,
    TreeFeature,
    VariableFeature,
    blocks,
    load_state_functions,
)

FILES_NAME = (
    "objective is_type_binary is_type_integer is_type_implicit_integer is_type_continuous "
    "has_lower_bound has_upper_bound normed_reduced_cost solution_value solution_frac "
    "is_solution_at_lower_bound is_solution_at_upper_bound scaled_age incumbent_value "
    "average_incumbent_value is_basis_lower is_basis_basic is_basis_upper is_basis_zero"
)


def test_files_know_the_columns_by_their_old_names() -> None:
    assert " ".join(VARIABLE_FEATURES) == FILES_NAME
    assert (
        *("bias", "objective_cosine_similarity", "is_tight", "dual_solution_value", "scaled_age"),
    ) == ROW_FEATURES
    assert BLOCKS["pseudocost"]().columns == ("score", "down", "up")
    assert BLOCKS["tree"]().columns[::7] == ("depth", "gain_over_root")
    assert len(set(BLOCKS["khalil"]().columns)) == 72


@pytest.mark.parametrize(
    "features", [VariableFeature, RowFeature, PseudocostFeature, TreeFeature, KhalilFeature]
)
def test_members_are_the_places_of_their_columns_and_say_what_they_mean(features: Any) -> None:
    assert [int(member) for member in features] == list(range(len(features)))
    assert features.columns() == tuple(member.column for member in features)
    for member in features:
        assert re.fullmatch("[a-z_]+", member.column)
        assert re.search(r"\w", member.meaning)
        assert "\n" not in member.meaning


def test_a_member_indexes_arrays_and_survives_a_pickle() -> None:
    array = np.arange(38.0).reshape(2, 19)
    assert array[:, VariableFeature.FRACTIONALITY].tolist() == [9.0, 28.0]
    ends = [VariableFeature.OBJECTIVE, VariableFeature.IS_BASIS_ZERO]
    assert array[:, ends].tolist() == [[0.0, 18.0], [19.0, 37.0]]
    again = pickle.loads(pickle.dumps(VariableFeature.FRACTIONALITY))
    assert again is VariableFeature.FRACTIONALITY


def test_two_columns_of_one_meaning_stay_two() -> None:
    class Twins(Feature):
        FIRST = "the same"
        SECOND = "the same"

    assert [int(member) for member in Twins] == [0, 1]


def test_a_new_module_of_blocks_is_all_that_a_new_block_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "open_nodes.py").write_text(
        "__all__ = ['OpenNodes', 'helper']\n"
        "def helper(): ...\n"
        "class OpenNodes:\n"
        "    name, version, columns = 'open_nodes', 1, ('leaves',)\n"
        "    def extract(self, model): return [model.getNLeaves()]\n"
    )
    monkeypatch.setattr(blocks, "__path__", [*blocks.__path__, str(tmp_path)])
    monkeypatch.setattr(blocks, "BLOCKS", blocks._own_blocks())
    assert sorted(blocks.BLOCKS) == ["khalil", "open_nodes", "pseudocost", "tree"]
    (function,) = load_state_functions(["open_nodes"])
    assert function.columns == ("leaves",)
