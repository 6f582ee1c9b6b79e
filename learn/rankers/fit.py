"""Training of rankers, from a table of candidates to a policy file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from milplib.learn.options import TrainingOptions, TreeOptions
from milplib.learn.rankers.forests import Tensors, fit_extra_trees, fit_gbdt, forest_tensors
from milplib.learn.rankers.linear import cross_entropy, fit_linear
from milplib.learn.rankers.table import RankingTable
from milplib.learn.samples.statistics import sample_statistics
from milplib.learn.training.data import TrainingData
from milplib.learn.training.folder import check_policy_target
from milplib.learn.training.metrics import mean_metrics
from milplib.learn.training.task import TrainingProgress, TrainingResult, TrainingTask
from milplib.policies.candidate_matrix import matrix_columns
from milplib.policies.file import PolicyFile, write_policy
from milplib.policies.loading import policy_of
from milplib.policies.ranking import RankingPolicy
from milplib.scip.state_functions import RecordedBlock
from milplib.version import __version__

__all__ = ["fit_ranker"]


def fit_ranker(task: TrainingTask) -> TrainingResult:
    """Train a linear, boosted or extra-trees ranker and write its policy file."""
    model, options = task.kind.name, task.options
    check_policy_target(task.out, force=task.force)
    data = TrainingData.open(task.folders, task.validation, options=options, seed=task.seed)
    tables: list[RankingTable] = []
    for graphs, role in ((data.training, "training"), (data.validation, "validation")):
        phase = f"reading {role} samples"
        tables.append(
            RankingTable.of(
                graphs,
                on_progress=lambda done, total, phase=phase: task.on_progress(  # type: ignore[misc]
                    TrainingProgress(phase, done, total)
                ),
            )
        )
    task.on_progress(TrainingProgress(f"fitting {model}", 0, 1))
    content, details = _fitted(task, tables[0], tables[1])
    recorded = map(RecordedBlock, data.training.blocks)  # scoring a matrix extracts nothing
    policy = policy_of(_file(data, *content), name=model, blocks=recorded)
    assert isinstance(policy, RankingPolicy)
    scores = policy.score_matrix(tables[1].matrix)
    judgements = tables[1].judged(scores)
    loss = float("nan")
    if model == "linear":
        loss, _ = cross_entropy(tables[1].only_valid(), content[1]["weight"].astype(np.float64))
    metrics = mean_metrics(judgements, [] if np.isnan(loss) else [loss])
    provenance = {
        "model": model,
        "seed": task.seed,
        "mixture": options.mixture,
        "holdout": options.holdout,
        **_sizes(options),
        **details,
        "data": data.describe(),
        "milplib": __version__,
        "validation": {n: v for n, v in metrics.as_dict().items() if not np.isnan(v)},
    }
    positions = range(len(data.validation))
    folders_of = (os.path.abspath(samples.folder) for samples in data.validation.sample_sets)
    names = [Path(folder).name for folder in folders_of]
    of_set = tables[1].sample_set.tolist()
    result = TrainingResult(
        policy=task.out,
        model=model,
        metrics=metrics,
        by_set=tuple(
            (name, mean_metrics(j for j, s in zip(judgements, of_set, strict=True) if s == number))
            for number, name in enumerate(names)
        ),
        choices=sample_statistics(data.validation.sample(i) for i in positions).choices,
        training_samples=len(data.training),
        details=details,
    )
    task.on_result(result)
    write_policy(task.out, _file(data, *content, provenance=provenance))
    task.on_progress(TrainingProgress(f"fitting {model}", 1, 1))
    return result


def _sizes(options: TrainingOptions) -> dict[str, int]:
    if isinstance(options, TreeOptions):
        return {"trees": options.trees, "leaves": options.leaves}
    return {}


def _fitted(
    task: TrainingTask, training: RankingTable, validation: RankingTable
) -> tuple[tuple[str, Tensors], Mapping[str, object]]:
    """Return the architecture and its tensors, and details of the fit."""
    training, validation = training.only_valid(), validation.only_valid()
    weights = training.weights(task.options.mixture)
    if task.kind.name == "linear":
        weight, details = fit_linear(training, validation, weights=weights)
        return ("linear", {"weight": weight}), details
    options = {"seed": task.seed, "threads": task.run_options.threads, **_sizes(task.options)}
    if task.kind.name == "gbdt":
        grown, details = fit_gbdt(training, validation, weights=weights, **options)
    else:
        grown, details = fit_extra_trees(training, weights=weights, **options)
    return ("forest", dict(forest_tensors(grown))), details


def _file(
    data: TrainingData,
    architecture: str,
    tensors: Tensors,
    *,
    provenance: Mapping[str, object] | None = None,
) -> PolicyFile:
    blocks = data.training.blocks
    hyperparameters = {"features": len(matrix_columns(blocks))}
    if "root" in tensors:
        hyperparameters["trees"] = len(tensors["root"])
    return PolicyFile(
        architecture=architecture,
        hyperparameters=hyperparameters,
        blocks=blocks,
        tensors=tensors,
        provenance=dict(provenance or {}),
    )
