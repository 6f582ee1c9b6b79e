"""The command ``train``."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from rich.table import Table

from milplib.cli.console import WholeNumber, allow_modules_here, output, progress_bar
from milplib.errors import ParameterError

if TYPE_CHECKING:
    from milplib.learn import RankerResult, TrainingResult
    from milplib.learn.training import Metrics, TrainingProgress

__all__ = ["train"]

_Several = Parameter(consume_multiple=True, negative="")
_OF_RANKERS = ("trees", "leaves")
_OF_ALL = (
    *("folders", "out", "model", "validation", "seed", "mixture", "blocks", "holdout"),
    *("threads", "force"),
)


def train(
    folders: list[Path],
    /,
    *,
    out: Path,
    model: Literal["gcnn", "linear", "gbdt", "extratrees"] = "gcnn",
    validation: Annotated[tuple[Path, ...], _Several] = (),
    epochs: WholeNumber = 1000,
    seed: WholeNumber = 0,
    device: str = "auto",
    loss: str = "hard",
    mixture: Literal["balanced", "proportional"] = "balanced",
    blocks: Annotated[tuple[str, ...], _Several] = (),
    trees: WholeNumber | None = None,
    leaves: WholeNumber | None = None,
    hidden: WholeNumber = 64,
    sums: Literal["absolute", "relative"] = "absolute",
    batch_size: WholeNumber = 32,
    batches_per_epoch: WholeNumber = 312,
    learning_rate: float = 1e-3,
    patience: WholeNumber = 10,
    stop_after: WholeNumber = 20,
    holdout: float = 0.2,
    precision: Literal["float32", "bfloat16"] = "float32",
    threads: WholeNumber = 1,
    cache_gigabytes: float = 4.0,
    track: Annotated[bool, Parameter(negative="")] = False,
    project: str = "milplib",
    force: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Train a policy on folders of samples.

    Writes the policy file OUT; for the network also OUT.training with log.csv and curve.png, and
    the same command, interrupted, goes on where it stopped.

    Parameters
    ----------
    folders
        Folders that ``collect`` wrote; each is a data set of the mixture.
    out
        The policy file, for example gcnn.safetensors.
    model
        The graph network ``gcnn``; or a ranker of candidates, which is trained in seconds to
        minutes: ``linear``, ``gbdt`` (boosted trees) or ``extratrees``.
    validation
        Folders of samples to judge by. Without any, some instances are held out.
    epochs
        At most so many; training ends before if the validation loss gets no better.
    seed
        Of the weights, the batches, and which instances are held out.
    device
        ``auto``, ``cpu``, ``cuda``, or ``cuda:1`` and so on.
    loss
        ``hard``: the expert's best candidates; ``soft``: all by their scores; or
        ``package.module:Name`` for one of your own.
    mixture
        Several data sets give equally many samples, or each by its size.
    blocks
        Recorded features to read beside the state, such as ``khalil`` and ``pseudocost``.
    trees
        Of the models made of trees, at most so many (default: 300 boosted, 100 extra trees).
    leaves
        Of each of these trees, at most so many (default: 31, and 250).
    hidden
        Units of a layer.
    sums
        As in the paper, or relative to the mean number of non-zeros of a row and of a column, for a
        network that is to be used at another density than it was trained on.
    batch_size
        Samples a batch.
    batches_per_epoch
        At most so many; fewer where all samples fill fewer.
    learning_rate
        Of Adam, at first.
    patience
        Epochs without a better validation loss after which the learning rate falls to a fifth.
    stop_after
        Epochs without a better validation loss after which training ends.
    holdout
        Share of the instances that are held out where there is no validation data.
    precision
        bfloat16 is automatic mixed precision.
    threads
        Of the CPU.
    cache_gigabytes
        Memory for decoded samples; the others are decoded again in each epoch.
    track
        Report to Weights & Biases (WANDB_MODE counts).
    project
        Name of the project there.
    force
        Replace a policy, or a training that has begun with other arguments.
    """
    _refuse_options_of_others(model, locals())
    allow_modules_here(loss)
    with progress_bar("training") as bar:

        def show(progress: TrainingProgress) -> None:
            note = progress.note if progress.phase == "training" else progress.phase
            bar.update(progress.done, progress.total, note)

        if model != "gcnn":
            from milplib.learn import train_ranker

            ranker = train_ranker(
                folders,
                out=out,
                model=model,
                validation=validation,
                seed=seed,
                mixture=mixture,
                blocks=blocks,
                trees=trees,
                leaves=leaves,
                holdout=holdout,
                threads=threads,
                force=force,
                on_progress=show,
            )
        else:
            from milplib.learn import train as train_policy

            result = train_policy(
                folders,
                out=out,
                validation=validation,
                epochs=epochs,
                seed=seed,
                device=device,
                loss=loss,
                mixture=mixture,
                blocks=blocks,
                hidden=hidden,
                sums=sums,
                batch_size=batch_size,
                batches_per_epoch=batches_per_epoch,
                learning_rate=learning_rate,
                patience=patience,
                stop_after=stop_after,
                holdout=holdout,
                precision=precision,
                threads=threads,
                cache_bytes=int(cache_gigabytes * 1e9),
                track=track,
                project=project,
                force=force,
                on_progress=show,
            )
    if model == "gcnn":
        epochs_said = f"{len(result.history)} epochs, the best of them {result.best_epoch}"
        _print(result, f" for {epochs_said}; log and curve in {result.folder}")
    else:
        found = [f"{n} {v}" for n, v in ranker.details.items() if not isinstance(v, dict)]
        _print(ranker, f" ({model}; {', '.join(found)})")


def _refuse_options_of_others(model: str, given: Mapping[str, object]) -> None:
    """Refuse an option that the model would ignore, where it is given another value."""
    for name, parameter in inspect.signature(train).parameters.items():
        is_rankers = name in _OF_RANKERS
        foreign = name not in _OF_ALL and is_rankers == (model == "gcnn")
        if foreign and given[name] != parameter.default:
            raise ParameterError(
                f"--{name.replace('_', '-')} is for {'rankers' if is_rankers else 'a gcnn'}, and "
                f"the model is {model}: leave it out, or choose another --model"
            )


def _print(result: TrainingResult | RankerResult, said: str) -> None:
    """Say what was trained, and how it does beside trivial choices."""
    console = output()
    console.print(
        f"{result.policy}: trained on {result.training_samples} samples{said}", markup=False
    )
    table = Table(
        title=f"On {result.metrics.samples} validation samples", box=None, title_justify="left"
    )
    table.add_column("choice")
    names = [name for name in result.metrics.as_dict() if name not in ("samples", "loss")]
    for name in (*names, "loss"):
        table.add_column(name.replace("_", "@").replace("regret", "score regret"), justify="right")

    def line(label: str, metrics: Metrics) -> None:
        values = metrics.as_dict()
        shown = (values[name] for name in (*names, "loss"))
        table.add_row(label, *("" if math.isnan(value) else f"{value:.3f}" for value in shown))

    line("policy", result.metrics)
    if len(result.by_set) > 1:
        for name, metrics in result.by_set:
            line(f"  on {name}", metrics)
    for name, choice in result.choices.items():
        unknown = [""] * (len(names) - 2)
        table.add_row(name, f"{choice.accuracy:.3f}", *unknown, f"{choice.regret:.3f}", "")
    console.print(table)
