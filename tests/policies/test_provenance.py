"""Instances that a policy has seen, found by content, whatever its file says."""

from __future__ import annotations

from typing import Any

import pytest

from milplib.policies.provenance import instance_hashes, seen_in


def test_training_comes_before_validation_and_others_are_new() -> None:
    known = {"data": instance_hashes(training=["aa" * 32], validation=["aa" * 32, "bb" * 32])}
    assert [seen_in(known, name * 32) for name in ("aa", "bb", "cc")] == [
        "training",
        "validation",
        "",
    ]


def test_equal_sets_of_instances_are_described_alike() -> None:
    one = instance_hashes(training=["bb" * 32, "aa" * 32, "bb" * 32], validation=[])
    assert one == instance_hashes(training=["aa" * 32, "bb" * 32], validation=[])


@pytest.mark.parametrize(
    "provenance",
    [
        {},
        {"data": None},
        {"data": []},
        {"data": {}},
        {"data": {"instance_hashes": 3}},
        {"data": {"instance_hashes": {"training": "aa" * 32}}},
        {"data": {"instance_hashes": {"training": None, "validation": {"aa" * 32: 1}}}},
    ],
)
def test_a_file_that_says_nothing_or_nonsense_has_seen_nothing_that_is_known_of(
    provenance: dict[str, Any],
) -> None:
    assert seen_in(provenance, "aa" * 32) == ""
