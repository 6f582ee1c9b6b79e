"""Training of every kind of model, from folders of samples to a policy file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from milplib.arguments import checked, path_of
from milplib.errors import ParameterError, UnknownNameError
from milplib.learn.options import NetworkOptions, RunOptions, TrainingOptions
from milplib.learn.training.task import (
    OpenSamples,
    SamplePlace,
    TrainingProgress,
    TrainingResult,
    TrainingTask,
)
from milplib.policies.model_kinds import ModelKind, find_model_kind, model_kinds
from milplib.progress import showing_progress

__all__ = ["train", "train_ranker"]


@checked
def train(
    folders: SamplePlace | Iterable[SamplePlace],
    *,
    out: str | os.PathLike[str],
    model: object = "gcnn",
    options: TrainingOptions | None = None,
    validation: SamplePlace | Iterable[SamplePlace] = (),
    seed: int = 0,
    force: bool = False,
    on_progress: Callable[[TrainingProgress], None] | None = None,
    on_result: Callable[[TrainingResult], None] = lambda result: None,
    progress: bool | None = None,
    **keywords: Any,
) -> TrainingResult:
    """Train a model on strong-branching samples and write it as a policy file.

    Networks are trained in epochs. The folder ``POLICY.training`` beside the policy holds
    ``log.csv``, with a line per epoch, and ``curve.png``. The state is saved there after every
    epoch: a second call with the same arguments resumes an interrupted training and returns the
    same policy.

    Rankers read each candidate's variable features, the aggregated features of its rows, and the
    blocks, each normalised within the state (`milplib.policies.candidate_matrix`). All candidates
    of all samples are in memory, at 4 bytes per feature.

    On processors of the same kind, equal arguments and samples give policies of equal bytes.

    Parameters
    ----------
    folders
        Folders of samples or sample sets, each a data set of the mixture; a single one need not be
        in a list.
    out
        Policy file to write.
    model
        Kind of model: ``gcnn``, the graph network; ``linear``, a weighted sum; ``gbdt``, boosted
        trees; ``extratrees``; or a kind that an installed package declares. Your own
        ``torch.nn.Module``, given as ``"package.module:Net"`` or as the class, must return the
        scores of the candidates, shape (k,), for a batch of graphs
        (`milplib.learn.BranchingGraph`).
    options
        Options of the model, of the class `milplib.policies.ModelKind.options`.
    validation
        Folders of validation samples, of other instances. Without them, some instances of each
        data set are held out.
    seed
        Seed of the weights, of the batches or trees, and of the held-out instances.
    force
        Whether to replace a policy, or an unfinished training with other arguments.
    on_progress
        Called often with the progress.
    on_result
        Called with the result just before the policy file is written, so that a caller can keep
        the metrics of every policy that exists, even if it is killed.
    progress
        Whether to show a progress bar on stderr or in a notebook. Default: if somebody can see it,
        and `on_progress` is not given.
    **keywords
        Fields of the model's classes in `milplib.learn.options`: options of the model, which take
        precedence over `options`, and options of the computation. A ``gcnn`` takes those of
        `milplib.learn.options.GcnnOptions` and `milplib.learn.options.NetworkRunOptions`, such as
        ``epochs``, ``hidden``, ``loss``, ``device`` and ``track``.

    Returns
    -------
    TrainingResult
        Metrics of the policy on the validation samples, and details of the training.

    Raises
    ------
    SampleError
        If samples are missing, damaged or inconsistent, or validation shares instances with
        training.
    ParameterError, UnknownNameError
        If the model or an option is unknown, an argument is outside its domain, or CUDA is
        requested but not available.
    OutputError
        If the policy exists, or another training of it was started.
    MissingPackageError
        If a package that the model or tracking needs is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from milplib.generators import GeneralizedIndependentSet
    >>> from milplib.learn import collect
    >>> folder = tempfile.mkdtemp()
    >>> for number in range(3):
    ...     instance = GeneralizedIndependentSet(n_nodes=40).generate(seed=number)
    ...     instance.write(f"{folder}/{number}.lp")
    >>> _ = collect([folder], out=folder + "/samples", samples_per_instance=1,
    ...             expert_probability=1.0)
    >>> result = train([folder + "/samples"], out=folder + "/policy.safetensors", epochs=2,
    ...                hidden=8)
    >>> result.policy.name, len(result.history), 0 <= result.metrics.accuracy[0] <= 1
    ('policy.safetensors', 2, True)
    >>> train([folder + "/samples"], out=folder + "/linear.safetensors", model="linear").model
    'linear'
    """
    kind = find_model_kind(model)
    if seed < 0:
        raise ParameterError(f"the seed is {seed}; it must not be negative")
    chosen, run_options = _options_of(kind, options, keywords)
    with showing_progress(
        "training",
        progress=progress,
        on_progress=on_progress,
        steps=lambda state: (state.done, state.total, f"{state.phase} {state.note}".strip()),
    ) as report:
        result: TrainingResult = kind.fitter()(
            TrainingTask(
                kind=kind,
                folders=sample_folders(folders),
                validation=sample_folders(validation),
                out=path_of(out, "out"),
                options=chosen,
                run_options=run_options,
                seed=seed,
                force=force,
                on_progress=report,
                on_result=on_result,
            )
        )
    return result


def sample_folders(given: object) -> tuple[Path, ...]:
    """List folders of samples: one or several paths or sample sets.

    Raises
    ------
    ParameterError
        If an argument is neither.
    """
    is_one = isinstance(given, str | os.PathLike | OpenSamples) or not isinstance(given, Iterable)
    places: list[object] = [given] if is_one else list(given)  # type: ignore[call-overload]
    return tuple(
        place.folder if isinstance(place, OpenSamples) else path_of(place, "folder of samples")
        for place in places
    )


def _options_of(
    kind: ModelKind, options: TrainingOptions | None, keywords: Mapping[str, Any]
) -> tuple[TrainingOptions, RunOptions]:
    """Sort keywords into the options of a kind of model; raise for unknown ones."""
    if options is not None and not isinstance(options, kind.options):
        raise ParameterError(
            f"the options are {type(options).__name__}; the model {kind.name} takes "
            f"{kind.options.__name__}"
        )
    of_model, of_run = ({f.name for f in fields(c)} for c in (kind.options, kind.run_options))
    for name in keywords:
        if name not in of_model | of_run:
            raise ParameterError(
                f"{name} is given; the model {kind.name} has none: it knows "
                f"{', '.join(sorted(of_model | of_run))}"
            )
    chosen: TrainingOptions = replace(
        options or kind.options(), **{n: v for n, v in keywords.items() if n in of_model}
    )
    run: RunOptions = kind.run_options(**{n: v for n, v in keywords.items() if n in of_run})
    return chosen, run


@checked
def train_ranker(
    folders: Iterable[str | os.PathLike[str]],
    *,
    out: str | os.PathLike[str],
    model: str,
    **keywords: Any,
) -> TrainingResult:
    """Train a ranker of candidates; kept for scripts written before `train` took rankers.

    Parameters
    ----------
    folders, out
        See `train`.
    model
        ``linear``, ``gbdt`` or ``extratrees``.
    **keywords
        Other arguments of `train`; None means not given.

    Raises
    ------
    UnknownNameError
        If the ranker is unknown; other errors as in `train`.

    Examples
    --------
    >>> train_ranker([], out="policy.safetensors", model="forest")
    Traceback (most recent call last):
    milplib.errors.UnknownNameError: unknown ranker 'forest': known: extratrees, gbdt, linear
    """
    kinds = model_kinds()
    rankers = [n for n in kinds if not issubclass(kinds[n].options, NetworkOptions)]
    if model not in rankers:
        raise UnknownNameError("ranker", model, rankers)
    arguments = {name: value for name, value in keywords.items() if value is not None}
    return train(folders, out=out, model=model, **arguments)
