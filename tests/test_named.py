"""A user's own object is found by its module and name."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from milplib.errors import ParameterError
from milplib.named import load_object


def test_a_name_may_reach_into_a_class() -> None:
    function: Any = load_object("fractions:Fraction.from_float", role="function")
    assert function(0.5) == Fraction(1, 2)


def test_only_a_class_is_instantiated() -> None:
    assert load_object("math:pi", role="number", instantiate=True) == pytest.approx(3.14159265)
    assert load_object("fractions:Fraction", role="number", instantiate=True) == 0


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("no_such_module:Thing", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("fractions:Thing", "AttributeError: .*Thing"),
        ("1st:Thing", "ValueError: .*1st:Thing"),
    ],
)
def test_an_object_that_cannot_be_imported_is_refused_with_its_name_and_the_reason(
    name: str, reason: str
) -> None:
    with pytest.raises(ParameterError, match=f"the loss '{name}' cannot be imported: {reason}"):
        load_object(name, role="loss")


def test_an_error_inside_the_users_module_is_reported_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_broken_module.py").write_text("raise RuntimeError('no licence')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ParameterError, match="cannot be imported: RuntimeError: no licence"):
        load_object("own_broken_module:Thing", role="loss")
