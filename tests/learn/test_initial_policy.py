"""Training that begins with the weights of another policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import milplib
from milplib.errors import ParameterError
from milplib.files import file_sha256
from milplib.learn import SampleSet, train
from milplib.policies import pretrained_file, read_policy
from milplib.policies.provenance import seen_in

SMALL: dict[str, Any] = {"hidden": 8, "batch_size": 4, "device": "cpu"}


@pytest.fixture(scope="module")
def first(sample_sets: dict[str, SampleSet], tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("initial")
    return train(
        [sample_sets["auction"].folder], out=folder / "first.safetensors", epochs=2, **SMALL
    )


def test_weights_and_norms_are_those_of_the_initial_policy(
    first: Any, sample_sets: dict[str, SampleSet], tmp_path: Path
) -> None:
    """With hardly a step, the policy is still the first one; norms are never trained."""
    result = train(
        [sample_sets["independent_set"].folder],
        out=tmp_path / "p.safetensors",
        epochs=1,
        learning_rate=1e-12,
        initial_policy=first.policy,
        **SMALL,
    )
    before, after = read_policy(first.policy), read_policy(result.policy)
    for name, tensor in before.tensors.items():
        if "norm" in name:
            assert np.array_equal(after.tensors[name], tensor), name
        else:
            np.testing.assert_allclose(after.tensors[name], tensor, atol=1e-8)
    assert after.provenance["initial_policy"] == {
        "name": "first",
        "sha256": file_sha256(first.policy),
    }


def test_it_has_seen_what_the_initial_policy_has_seen(
    first: Any, sample_sets: dict[str, SampleSet], tmp_path: Path
) -> None:
    others = sample_sets["independent_set"]
    result = train(
        [others.folder],
        out=tmp_path / "p.safetensors",
        epochs=1,
        initial_policy=first.policy,
        **SMALL,
    )
    provenance = read_policy(result.policy).provenance
    for sample in sample_sets["auction"]:
        assert seen_in(provenance, sample.tree.instance_hash) == "training"
    assert {seen_in(provenance, s.tree.instance_hash) for s in others} == {"training", "validation"}


def test_a_shipped_policy_may_be_the_initial_one(
    sample_sets: dict[str, SampleSet], tmp_path: Path
) -> None:
    result = train(
        [sample_sets["auction"].folder],
        out=tmp_path / "p.safetensors",
        epochs=1,
        batches_per_epoch=1,
        initial_policy="gcnn-mixed",
        device="cpu",
    )
    provenance = read_policy(result.policy).provenance
    assert provenance["initial_policy"]["sha256"] == file_sha256(pretrained_file("gcnn-mixed"))
    assert milplib.load_policy(result.policy).name == "p"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hidden": 9}, "has hidden 8, and this training 9"),
        ({"sums": "relative"}, "has sums none, and this training relative"),
        ({"blocks": ("tree",)}, "has blocks none, and this training tree"),
    ],
)
def test_one_of_other_sizes_is_refused_by_name(
    options: dict[str, Any],
    words: str,
    first: Any,
    sample_sets: dict[str, SampleSet],
    tmp_path: Path,
) -> None:
    with pytest.raises(ParameterError, match=words) as raised:
        train(
            [sample_sets["auction"].folder],
            out=tmp_path / "p.safetensors",
            initial_policy=first.policy,
            **(SMALL | options),
        )
    assert str(first.policy) in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir())
