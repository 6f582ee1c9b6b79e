"""What is said of samples: counts, ranges, pictures."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from narrowing import present

from milplib.errors import SampleError
from milplib.learn import SampleSet
from milplib.learn.samples.picture import _cells, _drawn, write_picture
from milplib.learn.samples.ranges import FeatureRanges
from milplib.learn.samples.statistics import _median, sample_statistics, trivial_choices
from milplib.scip import (
    ROW_FEATURES,
    VARIABLE_FEATURES,
    PseudocostFeature,
)

from .stored_samples import rewrite


def test_statistics_agree_with_a_plain_count(collected: Path) -> None:
    samples = SampleSet(collected)
    found = sample_statistics(samples)
    assert found.samples == len(samples) == len(list(samples)) > 0
    sizes = [len(sample.state.candidates) for sample in samples]
    expected: Any = (min(sizes), np.mean(sizes), np.median(sizes), max(sizes))
    assert found.candidates == expected
    # The expert agrees with itself; a random choice as often as it can.
    random = np.mean([sample.tied.sum() / len(sample.tied) for sample in samples])
    assert np.isclose(found.choices["random"].accuracy, random)
    pseudocost = [
        sample.tied[sample.state.blocks["pseudocost"][:, PseudocostFeature.SCORE].argmax()]
        for sample in samples
    ]
    assert abs(found.choices["pseudocost"].accuracy - np.mean(pseudocost)) < 0.35
    assert all(0 <= c.accuracy <= 1 and c.regret >= 0 for c in found.choices.values())


def test_the_median_is_that_of_all_samples_however_many_come_to_be_counted() -> None:
    for sizes in ([5], [1, 4], [3, 1, 1], [2, 2, 9, 9], [7, 1, 3, 3, 3, 8]):
        assert _median(Counter(sizes)) == np.median(sizes)


def test_ranges_of_features_agree_with_all_values_at_once(collected: Path) -> None:
    samples = SampleSet(collected)
    ranges = FeatureRanges(samples.blocks)
    for sample in samples:
        ranges.add(sample.state)
    states = [sample.state for sample in samples]
    columns = {
        "variable": np.concatenate([state.variable_features for state in states]),
        "row": np.concatenate([state.row_features for state in states]),
        "edge": np.concatenate([state.edge_features for state in states])[:, None],
        "block pseudocost": np.concatenate([state.blocks["pseudocost"] for state in states]),
    }
    found = ranges.found()
    names = [*VARIABLE_FEATURES, *ROW_FEATURES, "coefficient", *samples.blocks[0].columns]
    assert [feature.name for feature in found] == names
    for group, matrix in columns.items():
        listed = [feature for feature in found if feature.group == group]
        assert len(listed) == matrix.shape[1]
        for feature, values in zip(listed, matrix.T.astype(np.float64), strict=True):
            assert (feature.values, feature.not_finite) == (len(values), 0)
            assert (feature.minimum, feature.maximum) == (values.min(), values.max())
            assert feature.mean == pytest.approx(values.mean(), abs=1e-12)  # order of the sums
            assert feature.zeros == np.mean(values == 0)
            assert feature.is_constant == (len(set(values)) == 1)


def test_a_value_that_is_not_finite_is_counted_where_it_may_be_read(copy: Path) -> None:
    def change(columns: Any) -> None:
        columns["block_pseudocost"][-1][4] = float("nan")  # of the second candidate, "down"
        columns["pool_value"][0][0] = float("inf")

    rewrite(copy, change)
    with pytest.raises(SampleError, match="do not fit together"):
        list(SampleSet(copy))
    samples = SampleSet(copy, finite=False)
    ranges = FeatureRanges(samples.blocks)
    for sample in samples:
        ranges.add(sample.state)
    broken = {feature.name: feature for feature in ranges.found() if feature.not_finite}
    assert set(broken) == {"coefficient", "down"}
    assert broken["down"].not_finite == 1
    assert all(np.isfinite(present(feature.maximum)) for feature in broken.values())
    assert sample_statistics(samples).samples == len(samples)


def test_a_picture_shows_candidates_pattern_and_tree(sample_sets: dict[str, SampleSet]) -> None:
    samples = sample_sets["auction"]
    for index in (0, len(samples) - 1):
        sample = samples[index]
        state = sample.state
        scores, place, pattern = (
            axis for part in _drawn(samples, index).subfigs for axis in part.axes
        )
        others, best, *_ = scores.lines
        assert (
            len(np.asarray(others.get_xdata())) + len(np.asarray(best.get_xdata()))
            == sample.valid.sum()
        )
        assert sorted(np.asarray(best.get_ydata())) == sorted(sample.scores[sample.tied])
        legend = " ".join(text.get_text() for text in present(scores.get_legend()).get_texts())
        taken = int(trivial_choices(sample)["pseudocost"].argmax())
        better = int((sample.scores > sample.scores[taken]).sum())
        assert f"pseudocost: place {better + 1}" in legend
        assert f"node {sample.node} at depth {sample.depth}" in place.get_title()
        image = np.asarray(pattern.images[0].get_array())
        assert present(image).shape == (state.n_rows, state.n_variables)  # each entry is a cell
        assert (image > 0).sum() == len(state.edge_features)
        touched = np.isin(state.edge_index[1], state.candidates)
        assert (image == 2).sum() == touched.sum()


@pytest.mark.slow
def test_a_picture_of_a_large_state_has_few_cells_and_all_of_its_ends(
    collected: Path, tmp_path: Path
) -> None:
    samples = SampleSet(collected)
    write_picture(samples, 0, tmp_path / "0.png")
    write_picture(samples, 0, tmp_path / "again.png")
    write_picture(samples, 1, tmp_path / "1.png")
    contents = [(tmp_path / f"{name}.png").read_bytes() for name in ("0", "again", "1")]
    assert contents[0] == contents[1] != contents[2]
    cells = _cells(np.array([0, 99_999, 200_000 - 1]), 200_000, 640)
    assert cells.tolist() == [0, 319, 639]
