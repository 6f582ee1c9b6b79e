"""Boosted trees of LightGBM and extra trees of scikit-learn, and their conversion to arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from milplib.errors import MissingPackageError, SampleError
from milplib.learn.rankers.table import RankingTable
from milplib.policies.forest import LEAF

__all__ = [
    "Tensors",
    "Tree",
    "fit_extra_trees",
    "fit_gbdt",
    "forest_tensors",
    "trees_of_extra_trees",
    "trees_of_lightgbm",
]

Tensors = dict[str, npt.NDArray[np.float32] | npt.NDArray[np.int32]]

GRADES = 10
"""Grade of the best candidates in boosting; the worst candidate has grade 0."""

LARGEST_STATE = 10_000
"""Maximum number of candidates of a state in LightGBM."""


@dataclass(frozen=True, eq=False)
class Tree:
    """Regression tree as arrays over its nodes, the root first and parents before children.

    ``feature`` is `milplib.policies.forest.LEAF` in a leaf. A line goes to ``left`` if its feature
    is at most ``threshold`` (float64).
    """

    feature: npt.ArrayLike
    threshold: npt.ArrayLike
    left: npt.ArrayLike
    right: npt.ArrayLike
    value: npt.ArrayLike


def forest_tensors(trees: Sequence[Tree]) -> Tensors:
    """Join trees into the tensors of `milplib.policies.ForestPolicy`.

    Each float64 threshold is rounded down to float32. No decision changes: a float32 feature is at
    most the threshold exactly if it is at most the largest float32 number not above it.

    Examples
    --------
    >>> stump = Tree([0, LEAF, LEAF], [0.1, 0, 0], [1, -1, -1], [2, -1, -1], [0, 1, 2])
    >>> tensors = forest_tensors([stump, stump])
    >>> tensors["root"].tolist(), tensors["left"].tolist(), tensors["threshold"][0] <= 0.1
    ([0, 3], [1, -1, -1, 4, -1, -1], np.True_)
    """
    sizes = np.array([np.size(tree.feature) for tree in trees])
    root = np.cumsum(sizes) - sizes
    shift = np.repeat(root, sizes)

    def joined(name: str, dtype: type[Any]) -> npt.NDArray[Any]:
        return np.concatenate([np.asarray(getattr(tree, name), dtype=dtype) for tree in trees])

    feature, exact = joined("feature", np.int32), joined("threshold", np.float64)
    is_leaf = feature == LEAF
    threshold = exact.astype(np.float32)
    above = threshold.astype(np.float64) > exact
    threshold[above] = np.nextafter(threshold[above], np.float32(-np.inf))
    children = {
        name: np.where(is_leaf, LEAF, joined(name, np.int64) + shift).astype(np.int32)
        for name in ("left", "right")
    }
    return {
        "feature": feature,
        "threshold": np.where(is_leaf, np.float32(0), threshold),
        **children,
        "value": np.where(is_leaf, joined("value", np.float64), 0.0).astype(np.float32),
        "root": root.astype(np.int32),
    }


def fit_gbdt(
    training: RankingTable,
    validation: RankingTable,
    *,
    weights: npt.NDArray[np.float64],
    trees: int,
    leaves: int,
    seed: int,
    threads: int,
) -> tuple[list[Tree], dict[str, object]]:
    """Boost trees with LightGBM's lambdarank and early stopping on the validation samples.

    The grade of a candidate is its expert score, scaled within the sample to whole numbers from
    0 (the worst) to `GRADES` (the best and those tied with it). Boosting stops after 30 trees
    without a better NDCG@1 on the validation samples. The trees up to the best one are kept.

    References
    ----------
    Burges, "From RankNet to LambdaRank to LambdaMART: an overview", Microsoft Research technical
    report MSR-TR-2010-82.
    """
    try:
        import lightgbm
    except (ImportError, OSError) as error:  # OSError if the system has no libgomp
        raise _missing("lightgbm", error) from error
    for table in (training, validation):
        if table.sizes.max() > LARGEST_STATE:
            raise SampleError(
                f"a sample has {table.sizes.max()} candidates; LightGBM ranks at most "
                f"{LARGEST_STATE} per state: train another model"
            )
    data = [
        lightgbm.Dataset(
            table.matrix,
            label=np.floor(GRADES * table.relative_scores()),
            group=table.sizes,
            weight=each[table.sample],
            free_raw_data=True,
        )
        for table, each in ((training, weights), (validation, np.ones(len(validation))))
    ]
    best: dict[str, dict[str, list[float]]] = {}
    booster = lightgbm.train(
        {
            "objective": "lambdarank",
            "metric": "ndcg",
            "eval_at": [1],
            "num_leaves": leaves,
            "learning_rate": 0.1,
            "seed": seed,
            "num_threads": threads,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        },
        data[0],
        num_boost_round=trees,
        valid_sets=[data[1]],
        valid_names=["validation"],
        callbacks=[
            lightgbm.early_stopping(30, verbose=False),
            lightgbm.record_evaluation(best),
        ],
    )
    kept = booster.best_iteration or booster.current_iteration()
    details = {"lightgbm": lightgbm.__version__, "boosted_trees": booster.current_iteration()}
    return trees_of_lightgbm(booster, trees=kept), details


def trees_of_lightgbm(booster: Any, *, trees: int | None = None) -> list[Tree]:
    """Extract the trees of a LightGBM booster; features must be numeric and never missing."""
    dumped = booster.dump_model(num_iteration=trees)["tree_info"]
    return [_tree_of_lightgbm(tree["tree_structure"]) for tree in dumped]


def _tree_of_lightgbm(root: dict[str, Any]) -> Tree:
    feature: list[int] = []
    threshold: list[float] = []
    left: list[int] = []
    right: list[int] = []
    value: list[float] = []
    waiting: list[tuple[dict[str, Any], int, list[int]]] = [(root, -1, [])]
    while waiting:
        node, parent, side = waiting.pop()
        place = len(feature)
        if side:
            side[parent] = place
        is_leaf = "leaf_value" in node
        feature.append(LEAF if is_leaf else node["split_feature"])
        threshold.append(0.0 if is_leaf else node["threshold"])
        value.append(node["leaf_value"] if is_leaf else 0.0)
        left.append(LEAF)
        right.append(LEAF)
        if not is_leaf:
            waiting.append((node["right_child"], place, right))
            waiting.append((node["left_child"], place, left))
    return Tree(feature, threshold, left, right, value)


def fit_extra_trees(
    training: RankingTable,
    *,
    weights: npt.NDArray[np.float64],
    trees: int,
    leaves: int,
    seed: int,
    threads: int,
) -> tuple[list[Tree], dict[str, object]]:
    """Fit scikit-learn's extra trees to the expert's scores, scaled to [0, 1] in each sample.

    The weight of a sample does not depend on its number of candidates.

    References
    ----------
    Geurts, Ernst, Wehenkel, "Extremely randomized trees", Machine Learning 63 (2006); as a
    branching policy in Gasse et al., "Exact combinatorial optimization with graph convolutional
    neural networks", NeurIPS 2019.
    """
    try:
        import sklearn
        from sklearn.ensemble import ExtraTreesRegressor
    except ImportError as error:
        raise _missing("scikit-learn", error) from error
    model = ExtraTreesRegressor(
        n_estimators=trees, max_leaf_nodes=leaves, random_state=seed, n_jobs=threads
    )
    each = (weights / training.sizes)[training.sample]
    model.fit(training.matrix, training.relative_scores(), sample_weight=each / each.mean())
    return trees_of_extra_trees(model), {"scikit-learn": sklearn.__version__}


def trees_of_extra_trees(model: Any) -> list[Tree]:
    """Extract the trees of a scikit-learn forest; their values add up to its prediction."""
    trees = []
    for estimator in model.estimators_:
        tree = estimator.tree_
        is_leaf = tree.children_left < 0
        trees.append(
            Tree(
                np.where(is_leaf, LEAF, tree.feature),
                tree.threshold,
                tree.children_left,
                tree.children_right,
                tree.value[:, 0, 0] / len(model.estimators_),
            )
        )
    return trees


def _missing(package: str, error: BaseException) -> MissingPackageError:
    return MissingPackageError(
        f"this model needs the package {package}, which cannot be imported ({error}): "
        'pip install "milplib[rankers]"'
    )
