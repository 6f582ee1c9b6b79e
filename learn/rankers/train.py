"""Training of rankers: from folders of samples to a policy file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from milplib.errors import ParameterError, UnknownNameError
from milplib.learn.rankers.forests import fit_extra_trees, fit_gbdt, forest_tensors
from milplib.learn.rankers.linear import cross_entropy, fit_linear
from milplib.learn.rankers.table import RankingTable
from milplib.learn.samples.statistics import ChoiceAgreement, sample_statistics
from milplib.learn.training.data import TrainingData
from milplib.learn.training.folder import check_policy_target
from milplib.learn.training.metrics import Metrics, mean_metrics
from milplib.learn.training.parameters import TrainingParameters
from milplib.learn.training.train import TrainingProgress
from milplib.policies.candidate_matrix import matrix_columns
from milplib.policies.file import PolicyFile, write_policy
from milplib.policies.loading import policy_of
from milplib.policies.ranking import RankingPolicy
from milplib.version import __version__

__all__ = ["RANKERS", "RankerResult", "train_ranker"]

RANKERS: MappingProxyType[str, MappingProxyType[str, int]] = MappingProxyType(
    {
        "linear": MappingProxyType({}),
        "gbdt": MappingProxyType({"trees": 300, "leaves": 31}),
        "extratrees": MappingProxyType({"trees": 100, "leaves": 250}),
    }
)
"""The models, and the sizes that each has, with their defaults."""


@dataclass(frozen=True, kw_only=True)
class RankerResult:
    """What a training of a ranker gave.

    Parameters
    ----------
    policy
        The policy file.
    model
        One of `RANKERS`.
    metrics
        Of the policy on all validation samples; the loss is NaN for trees, which minimise
        another.
    by_set
        The same for each validation set, by the name of its folder.
    choices
        How trivial choices do on the same samples, by name.
    training_samples
        Number of samples trained on.
    details
        What the fit found: the penalty of the linear model, versions of libraries.
    """

    policy: Path
    model: str
    metrics: Metrics
    by_set: tuple[tuple[str, Metrics], ...]
    choices: dict[str, ChoiceAgreement]
    training_samples: int
    details: dict[str, Any]


def train_ranker(
    folders: Iterable[str | os.PathLike[str]],
    *,
    out: str | os.PathLike[str],
    model: str,
    validation: Iterable[str | os.PathLike[str]] = (),
    seed: int = 0,
    mixture: str = "balanced",
    blocks: Sequence[str] = (),
    trees: int | None = None,
    leaves: int | None = None,
    holdout: float = 0.2,
    threads: int = 1,
    force: bool = False,
    on_progress: Callable[[TrainingProgress], None] = lambda progress: None,
) -> RankerResult:
    """Train a ranker of candidates on strong-branching samples, and write it as a policy file.

    It sees each candidate's variable features, its rows' features aggregated, and blocks, each
    normalised within the state (`milplib.policies.candidate_matrix`). All candidates of all
    samples are in memory: 4 bytes a feature. Equal arguments and samples give a policy of equal
    bytes.

    Parameters
    ----------
    folders
        Folders of samples, each a data set of the mixture.
    out
        The policy file to write.
    model
        ``linear`` (a weighted sum, by listwise cross-entropy), ``gbdt`` (boosted trees, by
        LightGBM's lambdarank) or ``extratrees`` (scikit-learn's extra trees on scores).
    validation
        Folders of samples to judge by, of other instances. Without any, some instances of each
        data set are held out.
    seed
        Of the trees, and which instances are held out.
    mixture
        ``balanced``: all data sets count the same; ``proportional``: all samples do.
    blocks
        Names of recorded blocks to read, such as ``khalil`` and ``pseudocost``.
    trees, leaves
        At most so many trees, and leaves of each; for the models made of trees. Defaults are in
        `RANKERS`.
    holdout
        Share of the instances that are held out where no validation data is given.
    threads
        Of the libraries that grow trees.
    force
        Replace a policy.
    on_progress
        Called often, with what is being done.

    Raises
    ------
    SampleError
        If samples are missing, damaged or do not fit together, or validation shares instances
        with training.
    ParameterError, UnknownNameError
        If an argument is outside its domain.
    OutputError
        If the policy is there.
    MissingPackageError
        If the library of a model is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from milplib.generators import CombinatorialAuction
    >>> from milplib.learn import collect
    >>> folder = tempfile.mkdtemp()
    >>> for number in range(3):
    ...     instance = CombinatorialAuction(n_items=50, n_bids=200).generate(seed=number)
    ...     instance.write(f"{folder}/{number}.lp")
    >>> _ = collect([folder], out=folder + "/samples", samples_per_instance=1,
    ...             expert_probability=1.0)
    >>> result = train_ranker([folder + "/samples"], out=folder + "/linear.safetensors",
    ...                       model="linear")
    >>> milplib.load_policy(result.policy).name, 0 <= result.metrics.accuracy[0] <= 1
    ('linear', True)
    """
    sizes = _sizes(model, trees=trees, leaves=leaves)
    if threads < 1:
        raise ParameterError(f"threads is {threads}; it must be at least 1")
    parameters = TrainingParameters(
        seed=seed, mixture=mixture, blocks=tuple(blocks), holdout=holdout
    )
    check_policy_target(Path(out), force=force)
    data = TrainingData.open(folders, validation, parameters=parameters)
    tables: list[RankingTable] = []
    for graphs, what in ((data.training, "training"), (data.validation, "validation")):
        phase = f"reading {what} samples"
        tables.append(
            RankingTable.of(
                graphs,
                on_progress=lambda done, total, phase=phase: on_progress(  # type: ignore[misc]
                    TrainingProgress(phase, done, total)
                ),
            )
        )
    on_progress(TrainingProgress(f"fitting {model}", 0, 1))
    content, details = _fitted(
        model, tables[0], tables[1], parameters=parameters, threads=threads, sizes=sizes
    )
    policy = policy_of(_file(data, *content), name=model)
    assert isinstance(policy, RankingPolicy)
    scores = policy.score_matrix(tables[1].matrix)
    judgements = tables[1].judged(scores)
    loss = float("nan")
    if model == "linear":
        loss, _ = cross_entropy(tables[1].only_valid(), content[1]["weight"].astype(np.float64))
    metrics = mean_metrics(judgements, [] if np.isnan(loss) else [loss])
    provenance = {
        "model": model,
        "seed": seed,
        "mixture": mixture,
        "holdout": holdout,
        **sizes,
        **details,
        "data": data.describe(),
        "milplib": __version__,
        "validation": {n: v for n, v in metrics.as_dict().items() if not np.isnan(v)},
    }
    write_policy(out, _file(data, *content, provenance=provenance))
    on_progress(TrainingProgress(f"fitting {model}", 1, 1))
    positions = range(len(data.validation))
    folders_of = (os.path.abspath(samples.folder) for samples in data.validation.sample_sets)
    names = [Path(folder).name for folder in folders_of]
    of_set = tables[1].sample_set.tolist()
    return RankerResult(
        policy=Path(out),
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


def _sizes(model: str, **given: int | None) -> dict[str, int]:
    if model not in RANKERS:
        raise UnknownNameError("ranker", model, RANKERS)
    sizes = dict(RANKERS[model])
    for name, value in given.items():
        if value is None:
            continue
        if name not in sizes:
            raise ParameterError(f"{name} is given; the model {model} has none")
        least = 1 if name == "trees" else 2
        if value < least:
            raise ParameterError(f"{name} is {value}; it must be at least {least}")
        sizes[name] = value
    return sizes


def _fitted(
    model: str,
    training: RankingTable,
    validation: RankingTable,
    *,
    parameters: TrainingParameters,
    threads: int,
    sizes: Mapping[str, int],
) -> tuple[tuple[str, dict[str, Any]], dict[str, Any]]:
    """Architecture and tensors, and what the fit says of itself."""
    training, validation = training.only_valid(), validation.only_valid()
    weights = training.weights(parameters.mixture)
    if model == "linear":
        weight, details = fit_linear(training, validation, weights=weights)
        return ("linear", {"weight": weight}), details
    options: dict[str, Any] = {
        "weights": weights,
        "seed": parameters.seed,
        "threads": threads,
        **sizes,
    }
    if model == "gbdt":
        grown, details = fit_gbdt(training, validation, **options)
    else:
        grown, details = fit_extra_trees(training, **options)
    return ("forest", dict(forest_tensors(grown))), details


def _file(
    data: TrainingData,
    architecture: str,
    tensors: dict[str, Any],
    *,
    provenance: dict[str, Any] | None = None,
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
        provenance=provenance or {},
    )
