"""Training: from folders of samples to a policy file, for every kind of model."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from milplib.errors import ParameterError, UnknownNameError
from milplib.learn.options import NetworkOptions, RunOptions, TrainingOptions
from milplib.learn.training.task import TrainingProgress, TrainingResult, TrainingTask
from milplib.policies.model_kinds import ModelKind, model_kind, model_kinds

__all__ = ["train", "train_ranker"]


def train(
    folders: Iterable[str | os.PathLike[str]],
    *,
    out: str | os.PathLike[str],
    model: object = "gcnn",
    options: TrainingOptions | None = None,
    validation: Iterable[str | os.PathLike[str]] = (),
    seed: int = 0,
    force: bool = False,
    on_progress: Callable[[TrainingProgress], None] = lambda progress: None,
    **keywords: Any,
) -> TrainingResult:
    """Train a model on strong-branching samples, and write it as a policy file.

    Networks are trained by epochs. Beside their policy stands the folder ``POLICY.training`` with
    ``log.csv``, a line an epoch, and ``curve.png``. After every epoch the state is kept there: a
    second call with the same arguments goes on where the first one was stopped, and gives the same
    policy. Rankers see each candidate's variable features, its rows' features aggregated, and
    blocks, each normalised within the state (`milplib.policies.candidate_matrix`); all candidates
    of all samples are in memory, 4 bytes a feature. On processors of one kind equal arguments and
    samples give a policy of equal bytes.

    Parameters
    ----------
    folders
        Folders of samples, each a data set of the mixture.
    out
        The policy file to write.
    model
        A kind of model: ``gcnn``, the graph network; ``linear``, a weighted sum; ``gbdt``, boosted
        trees; ``extratrees``; another that an installed package declares; or
        ``"package.module:Net"``, or the class itself, for a ``torch.nn.Module`` of your own that
        gives a batch of graphs (`milplib.learn.BranchingGraph`) its candidates' scores, shape (k,).
    options
        Options of the model, an object of `milplib.policies.ModelKind.options`.
    validation
        Folders of samples to judge by, of other instances. Without any, some instances of each
        data set are held out.
    seed
        Of the weights, the batches or trees, and which instances are held out.
    force
        Replace a policy, or a training that has begun with other arguments.
    on_progress
        Called often, with what is being done.
    **keywords
        Options of the model by name, in place of `options` or over them, and options of where it
        is trained: the fields of its classes in `milplib.learn.options`. A ``gcnn`` takes those of
        `milplib.learn.options.GcnnOptions` and `milplib.learn.options.NetworkRunOptions`, such as
        ``epochs``, ``hidden``, ``loss``, ``device`` and ``track``.

    Returns
    -------
    TrainingResult
        How the policy does on the validation samples.

    Raises
    ------
    SampleError
        If samples are missing, damaged or do not fit together, or validation shares instances
        with training.
    ParameterError, UnknownNameError
        If the model or an option is not known, an argument is outside its domain, or CUDA is asked
        for and not there.
    OutputError
        If the policy is there, or another training of it.
    MissingPackageError
        If a package is missing that the model or tracking needs.

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
    >>> result = train([folder + "/samples"], out=folder + "/policy.safetensors", epochs=2,
    ...                hidden=8)
    >>> result.policy.name, len(result.history), 0 <= result.metrics.accuracy[0] <= 1
    ('policy.safetensors', 2, True)
    >>> train([folder + "/samples"], out=folder + "/linear.safetensors", model="linear").model
    'linear'
    """
    kind = model_kind(model)
    if seed < 0:
        raise ParameterError(f"the seed is {seed}; it must not be negative")
    chosen, run_options = _options_of(kind, options, keywords)
    result: TrainingResult = kind.fitter()(
        TrainingTask(
            kind=kind,
            folders=tuple(map(Path, folders)),
            validation=tuple(map(Path, validation)),
            out=Path(out),
            options=chosen,
            run_options=run_options,
            seed=seed,
            force=force,
            on_progress=on_progress,
        )
    )
    return result


def _options_of(
    kind: ModelKind, options: TrainingOptions | None, keywords: Mapping[str, Any]
) -> tuple[TrainingOptions, RunOptions]:
    """Sort keywords into the options of a kind of model, and refuse those that it has not."""
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


def train_ranker(
    folders: Iterable[str | os.PathLike[str]],
    *,
    out: str | os.PathLike[str],
    model: str,
    **keywords: Any,
) -> TrainingResult:
    """Train a ranker of candidates: `train`, for scripts that were written before it took rankers.

    Parameters
    ----------
    folders, out
        See `train`.
    model
        ``linear``, ``gbdt`` or ``extratrees``.
    **keywords
        Other arguments of `train`; those that are None count as not given.

    Raises
    ------
    UnknownNameError
        If there is no such ranker; else as `train`.
    """
    kinds = model_kinds()
    rankers = [n for n in kinds if not issubclass(kinds[n].options, NetworkOptions)]
    if model not in rankers:
        raise UnknownNameError("ranker", model, rankers)
    given = {name: value for name, value in keywords.items() if value is not None}
    return train(folders, out=out, model=model, **given)
