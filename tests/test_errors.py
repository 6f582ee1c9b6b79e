"""Errors say what, where and what to do, also after a journey between processes."""

from __future__ import annotations

import pickle

from milplib.errors import UnknownNameError


def test_an_unknown_name_suggests_the_nearest_or_lists_what_there_is() -> None:
    assert "did you mean CA-easy" in str(UnknownNameError("distribution", "ca-esy", ["CA-easy"]))
    assert "known: a, b" in str(UnknownNameError("thing", "zzz", ["b", "a"]))
    assert "no thing is known" in str(UnknownNameError("thing", "zzz", []))


def test_an_unknown_name_survives_the_way_from_a_worker() -> None:
    error = UnknownNameError("thing", "zz", ["a"], hint="try harder")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert again.known == ["a"]
