"""Rankers: they learn, their files score as their libraries do, and bad input is one line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import approx_fprime

import milplib
from milplib.cli.training import train as train_command
from milplib.errors import (
    MissingPackageError,
    OutputError,
    ParameterError,
    SampleError,
    UnknownNameError,
)
from milplib.generators import IndependentSet
from milplib.learn import SampleSet, collect, train_ranker
from milplib.learn.dataset import GraphDataset
from milplib.learn.rankers.forests import (
    Tree,
    forest_tensors,
    trees_of_extra_trees,
    trees_of_lightgbm,
)
from milplib.learn.rankers.linear import cross_entropy, fit_linear
from milplib.learn.rankers.table import RankingTable
from milplib.policies import ForestPolicy, PolicyFile, read_policy
from milplib.policies.candidate_matrix import candidate_matrix, matrix_columns
from milplib.policies.forest import LEAF
from milplib.scip import VariableFeature

SMALL: dict[str, Any] = {
    "gbdt": {"trees": 20, "leaves": 4},
    "extratrees": {"trees": 10, "leaves": 20},
}


@pytest.fixture(scope="module")
def folder_of_samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Samples of independent sets with Khalil's features beside the pseudocosts and the tree's."""
    folder = tmp_path_factory.mktemp("rankers")
    (folder / "instances").mkdir()
    for seed in range(5):
        family = IndependentSet(n_nodes=60, graph="erdos_renyi", edge_probability=0.2)
        family.generate(seed).write(folder / "instances" / f"{seed}.lp")
    samples = collect(
        [folder / "instances"],
        out=folder / "samples",
        samples_per_instance=4,
        expert_probability=1.0,
        blocks=("khalil", "pseudocost", "tree"),
    )
    return samples.folder


@pytest.fixture(scope="module")
def table(folder_of_samples: Path) -> RankingTable:
    graphs = GraphDataset([SampleSet(folder_of_samples)], blocks=("khalil", "pseudocost"))
    return RankingTable.of(graphs)


@pytest.mark.parametrize("model", ["linear", "gbdt", "extratrees"])
def test_a_ranker_is_trained_into_a_file_that_repeats_its_validation(
    model: str, folder_of_samples: Path, tmp_path: Path
) -> None:
    blocks = ("khalil", "pseudocost", "tree")
    results = [
        train_ranker(
            [folder_of_samples],
            out=tmp_path / f"{name}.safetensors",
            model=model,
            blocks=blocks,
            seed=3,
            **SMALL.get(model, {}),
        )
        for name in "ab"
    ]
    assert results[0].policy.read_bytes() == results[1].policy.read_bytes()
    assert results[0].metrics.samples == 4
    assert results[0].training_samples == 16
    provenance = read_policy(results[0].policy).provenance
    assert provenance["model"] == model
    assert provenance["data"]["training"][0]["samples"] == 16
    assert str(folder_of_samples.parent) not in str(provenance)

    policy: Any = milplib.load_policy(results[0].policy)
    assert [function.name for function in policy.state_functions] == list(blocks)
    samples = SampleSet(folder_of_samples)
    right = [
        bool(sample.tied[policy.score(sample.state).argmax()])
        for sample in samples
        if sample.tied.any()
    ]
    assert np.mean(right) > results[0].choices["random"].accuracy  # of training samples, mostly


def test_rankers_learn_what_the_expert_prefers(folder_of_samples: Path, tmp_path: Path) -> None:
    """On their own training samples the trees repeat most of the expert's choices."""
    for model, least in (("gbdt", 0.5), ("extratrees", 0.5)):
        result = train_ranker(
            [folder_of_samples],
            out=tmp_path / f"{model}.safetensors",
            model=model,
            blocks=("khalil",),
        )
        policy: Any = milplib.load_policy(result.policy)
        table = RankingTable.of(GraphDataset([SampleSet(folder_of_samples)], blocks=("khalil",)))
        ranks = [j.rank for j in table.judged(policy.score_matrix(table.matrix))]
        assert np.mean(np.array(ranks) == 1) >= least


def policy_of_trees(trees: list[Tree], n_features: int) -> ForestPolicy:
    blocks = read_blocks(n_features)
    return ForestPolicy(
        PolicyFile(
            architecture="forest",
            hyperparameters={"features": n_features, "trees": len(trees)},
            blocks=blocks,
            tensors=forest_tensors(trees),
        ),
        name="converted",
    )


def read_blocks(n_features: int) -> tuple[Any, ...]:
    from milplib.scip import BlockSchema, load_state_functions

    blocks = tuple(BlockSchema.of(f) for f in load_state_functions(["khalil", "pseudocost"]))
    assert len(matrix_columns(blocks)) == n_features
    return blocks


def test_a_converted_forest_scores_as_scikit_learn_does(table: RankingTable) -> None:
    from sklearn.ensemble import ExtraTreesRegressor

    model = ExtraTreesRegressor(n_estimators=30, max_leaf_nodes=300, random_state=1, n_jobs=1)
    model.fit(table.matrix, table.only_valid().relative_scores() * 100)
    policy = policy_of_trees(trees_of_extra_trees(model), table.matrix.shape[1])
    expected = model.predict(table.matrix)
    # Values of leaves are rounded to float32, thresholds lose nothing.
    np.testing.assert_allclose(policy.score_matrix(table.matrix), expected, rtol=1e-6, atol=1e-6)


def test_a_converted_forest_scores_as_lightgbm_does(table: RankingTable) -> None:
    import lightgbm

    data = lightgbm.Dataset(
        table.matrix, label=np.floor(10 * table.relative_scores()), group=table.sizes
    )
    options: dict[str, Any] = {
        "objective": "lambdarank",
        "num_threads": 1,
        "verbosity": -1,
        "seed": 0,
    }
    booster = lightgbm.train(options | {"min_data_in_leaf": 2}, data, num_boost_round=80)
    policy = policy_of_trees(trees_of_lightgbm(booster), table.matrix.shape[1])
    expected = booster.predict(table.matrix, num_threads=1)
    assert np.ptp(expected) > 1
    np.testing.assert_allclose(policy.score_matrix(table.matrix), expected, rtol=1e-6, atol=1e-6)
    fewer = policy_of_trees(trees_of_lightgbm(booster, trees=7), table.matrix.shape[1])
    expected = booster.predict(table.matrix, num_iteration=7, num_threads=1)
    np.testing.assert_allclose(fewer.score_matrix(table.matrix), expected, rtol=1e-6, atol=1e-6)


def test_a_threshold_between_two_floats_decides_as_before() -> None:
    """0.1 in float64 lies between two float32 numbers; the upper one must go right."""
    above = np.float32(0.1)
    below = np.nextafter(above, np.float32(0))
    assert float(below) < 0.1 < float(above)
    trees = [
        Tree(
            [VariableFeature.SOLUTION_VALUE, LEAF, LEAF],
            [0.1, 0, 0],
            [1, -1, -1],
            [2, -1, -1],
            [0, 1, 2],
        )
    ]
    content = PolicyFile(
        architecture="forest",
        hyperparameters={"features": 38, "trees": 1},
        tensors=forest_tensors(trees),
    )
    lines = np.zeros((2, 38), dtype=np.float32)
    lines[:, VariableFeature.SOLUTION_VALUE] = [below, above]
    assert ForestPolicy(content, name="stump").score_matrix(lines).tolist() == [1.0, 2.0]


def test_the_linear_loss_has_the_gradient_that_it_says(table: RankingTable) -> None:
    valid = table.only_valid()
    w: Any = np.random.RandomState(0).normal(scale=0.1, size=valid.matrix.shape[1])
    weights = np.arange(1.0, len(valid) + 1.0)
    _, gradient = cross_entropy(valid, w, weights=weights)
    numeric = approx_fprime(w, lambda x: cross_entropy(valid, x, weights=weights)[0], 1e-6)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-3, atol=1e-5)  # first differences


def test_the_linear_ranker_finds_a_linear_rule(table: RankingTable) -> None:
    """Labels of a drawn linear rule are found again on the samples themselves."""
    rule = np.zeros(table.matrix.shape[1])
    rule[[8, 20, 60]] = [4.0, -3.0, 5.0]
    scores = table.matrix @ rule
    best = np.maximum.reduceat(scores, table.starts[:-1])[table.sample]
    drawn = RankingTable(
        matrix=table.matrix,
        starts=table.starts,
        scores=scores + 20.0,
        valid=np.ones(len(scores), dtype=bool),
        tied=scores >= best - 1e-9,
        columns=table.columns,
        sample_set=table.sample_set,
    )
    weight, details = fit_linear(drawn, drawn, weights=np.ones(len(drawn)))
    ranks = [
        judgement.rank for judgement in drawn.judged((table.matrix @ weight).astype(np.float64))
    ]
    assert np.mean(np.array(ranks) == 1) > 0.9
    assert details["penalty"] == 1e-5  # no need to hold back


def test_samples_without_a_score_count_nothing(table: RankingTable) -> None:
    missing = RankingTable(
        matrix=table.matrix,
        starts=table.starts,
        scores=np.where(np.arange(len(table.scores)) % 3 == 0, 0.0, table.scores),
        valid=np.arange(len(table.scores)) % 3 > 0,
        tied=table.tied,
        columns=table.columns,
        sample_set=table.sample_set,
    )
    left = missing.only_valid()
    assert left.sizes.sum() == missing.valid.sum() == len(left.matrix)
    assert left.valid.all()
    begin, end = missing.starts[1:3]
    kept = np.flatnonzero(missing.valid[begin:end]) + begin
    assert np.array_equal(left.matrix[left.starts[1] : left.starts[2]], missing.matrix[kept])


def test_data_sets_of_a_balanced_mixture_count_the_same(table: RankingTable) -> None:
    of_two = RankingTable(
        **{
            name: getattr(table, name)
            for name in ("matrix", "starts", "scores", "valid", "tied", "columns")
        },
        sample_set=np.arange(len(table)) // 15,
    )
    weights = of_two.weights("balanced")
    assert weights[:15].sum() == pytest.approx(weights[15:].sum()) == pytest.approx(10)
    assert of_two.weights("proportional").tolist() == [1.0] * 20
    with pytest.raises(UnknownNameError, match="mixture 'other'"):
        of_two.weights("other")


def test_training_sees_what_the_policy_sees_when_it_runs(
    table: RankingTable, folder_of_samples: Path
) -> None:
    sample = SampleSet(folder_of_samples)[1]
    begin, end = table.starts[1:3]
    seen = candidate_matrix(sample.state, ("khalil", "pseudocost"))
    assert np.array_equal(table.matrix[begin:end], seen)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"model": "svm"}, UnknownNameError, "ranker 'svm'"),
        ({"model": "linear", "trees": 5}, ParameterError, "the model linear has none"),
        ({"model": "gbdt", "trees": 0}, ParameterError, "trees is 0"),
        ({"model": "gbdt", "leaves": 1}, ParameterError, "leaves is 1"),
        ({"model": "linear", "blocks": ("none",)}, SampleError, "have no block 'none'"),
        ({"model": "linear", "mixture": "other"}, UnknownNameError, "mixture 'other'"),
        ({"model": "linear", "threads": 0}, ParameterError, "threads is 0"),
    ],
)
def test_bad_arguments_are_one_line_and_leave_nothing(
    options: dict[str, Any], error: type, message: str, folder_of_samples: Path, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message) as raised:
        train_ranker([folder_of_samples], out=tmp_path / "x.safetensors", **options)
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_a_policy_that_is_there_is_not_replaced_unasked(
    folder_of_samples: Path, tmp_path: Path
) -> None:
    out = tmp_path / "x.safetensors"
    out.write_text("mine")
    with pytest.raises(OutputError, match="already there"):
        train_ranker([folder_of_samples], out=out, model="linear")
    assert out.read_text() == "mine"
    train_ranker([folder_of_samples], out=out, model="linear", force=True)
    assert milplib.load_policy(out).name == "x"
    with pytest.raises(OutputError, match="no folder"):
        train_ranker([folder_of_samples], out=tmp_path / "no" / "x.safetensors", model="linear")


@pytest.mark.parametrize(("model", "package"), [("gbdt", "lightgbm"), ("extratrees", "sklearn")])
def test_without_its_library_a_model_says_what_to_install(
    model: str,
    package: str,
    folder_of_samples: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingPackageError, match=r"milplib\[rankers\]"):
        train_ranker([folder_of_samples], out=tmp_path / "x.safetensors", model=model)


def test_the_command_trains_a_ranker_and_refuses_what_belongs_to_the_network(
    folder_of_samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "x.safetensors"
    train_command([folder_of_samples], out=out, model="linear", blocks=("khalil",))
    assert "accuracy@1" in capsys.readouterr().out
    assert read_policy(out).architecture == "linear"
    with pytest.raises(ParameterError, match=r"--hidden .* gcnn"):
        train_command(
            [folder_of_samples], out=tmp_path / "y.safetensors", model="linear", hidden=32
        )
    with pytest.raises(ParameterError, match="--trees"):
        train_command([folder_of_samples], out=tmp_path / "y.safetensors", trees=3)
