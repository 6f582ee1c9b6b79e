"""The command ``train``, with the options of all declared kinds of models."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import Field, fields
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_type_hints

from cyclopts import Parameter

from milplib.cli.console import WholeNumber, allow_modules_here, output, progress_bar
from milplib.cli.tables import Column, print_table
from milplib.errors import ParameterError
from milplib.parsing import parse_json
from milplib.policies.model_kinds import ModelKind, find_model_kind, model_kinds

if TYPE_CHECKING:
    from milplib.learn import TrainingResult
    from milplib.learn.training import Metrics, TrainingProgress

__all__ = ["train"]

_Several = Parameter(consume_multiple=True, negative="")

# Options with another form on the command line, by field name.
_OTHER_FORMS = {"model_options": "model_option", "cache_bytes": "cache_gigabytes"}


def train(
    folders: list[Path],
    /,
    *,
    out: Path,
    model: str = "gcnn",
    validation: Annotated[tuple[Path, ...], _Several] = (),
    seed: WholeNumber = 0,
    force: Annotated[bool, Parameter(negative="")] = False,
    **options: Any,
) -> None:
    """Train a policy on folders of samples.

    Writes the policy file OUT; for networks also OUT.training with log.csv and curve.png. Run an
    interrupted command again to continue it.

    Parameters
    ----------
    folders
        Folders that ``collect`` wrote. Each is a data set of the mixture.
    out
        Policy file to write, such as gcnn.safetensors.
    validation
        Folders of validation samples. Default: some instances of the training data are held out.
    seed
        Seed of the weights, of the batches or trees, and of the choice of held-out instances.
    force
        Replace a policy, or an unfinished training with other arguments.
    """
    chosen = {name: value for name, value in options.items() if value is not None}
    allow_modules_here(model, str(chosen.get("loss", "")))
    kind = find_model_kind(model)
    _refuse_options_of_others(kind, chosen)
    if "model_option" in chosen:
        chosen["model_options"] = _assignments(chosen.pop("model_option"))
    if "cache_gigabytes" in chosen:
        chosen["cache_bytes"] = int(chosen.pop("cache_gigabytes") * 1e9)
    from milplib.learn import train as train_policy

    with progress_bar("training") as bar:

        def show(progress: TrainingProgress) -> None:
            note = progress.note if progress.phase == "training" else progress.phase
            bar.update(progress.done, progress.total, note)

        result = train_policy(
            folders,
            out=out,
            model=kind,
            validation=validation,
            seed=seed,
            force=force,
            on_progress=show,
            **chosen,
        )
    if result.history:
        epochs = f"{len(result.history)} epochs, the best of them {result.best_epoch}"
        _print(result, f" for {epochs}; log and curve in {result.folder}")
    else:
        details = [f"{n} {v}" for n, v in result.details.items() if not isinstance(v, dict)]
        _print(result, f" ({', '.join([result.model, *details])})")


def _flag(name: str) -> str:
    return _OTHER_FORMS.get(name, name)


def _fields_of(kind: ModelKind) -> dict[str, Field[Any]]:
    """Return the option fields of a kind of model by command-line name."""
    return {_flag(f.name): f for c in (kind.options, kind.run_options) for f in fields(c)}


def _refuse_options_of_others(kind: ModelKind, chosen: Mapping[str, object]) -> None:
    known = _fields_of(kind)
    for name in chosen:
        if name not in known:
            owners = [other.name for other in model_kinds().values() if name in _fields_of(other)]
            if not owners:
                raise ParameterError(f"no model has the option --{name.replace('_', '-')}")
            raise ParameterError(
                f"--{name.replace('_', '-')} is for {' and '.join(owners)}, and the model is "
                f"{kind.name}: leave it out, or choose another --model"
            )


def _assignments(texts: Sequence[str]) -> dict[str, object]:
    """Parse ``name=value`` texts. A value that is not JSON is a string."""
    assigned: dict[str, object] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name.isidentifier() and equals):
            raise ParameterError(f"'{text}' sets no option of the model: write name=value")
        if name in assigned:
            raise ParameterError(f"the model's option {name} is given twice")
        try:
            assigned[name] = parse_json(value)
        except ValueError:
            assigned[name] = value
    return assigned


def _print(result: TrainingResult, details: str) -> None:
    """Print the metrics of a trained policy and of trivial choices."""
    console = output()
    console.print(
        f"{result.policy}: trained on {result.training_samples} samples{details}", markup=False
    )
    rows = []
    names = [name for name in result.metrics.as_dict() if name not in ("samples", "loss")]
    headings = [n.replace("_", "@").replace("regret", "score regret") for n in (*names, "loss")]

    def line(label: str, metrics: Metrics) -> None:
        values = metrics.as_dict()
        shown = (values[name] for name in (*names, "loss"))
        rows.append([label, *("" if math.isnan(value) else f"{value:.3f}" for value in shown)])

    line("policy", result.metrics)
    if len(result.by_set) > 1:
        for name, metrics in result.by_set:
            line(f"  on {name}", metrics)
    for name, choice in result.choices.items():
        unknown = [""] * (len(names) - 2)
        rows.append([name, f"{choice.accuracy:.3f}", *unknown, f"{choice.regret:.3f}", ""])
    columns = [Column(heading="choice", is_key=True), *(Column(heading=n) for n in headings)]
    print_table(columns, rows, title=f"On {result.metrics.samples} validation samples")


def _signature() -> inspect.Signature:
    """Return the signature of `train` with the options of all declared kinds of models."""
    kinds = model_kinds()
    own = inspect.signature(train, eval_str=True).parameters.values()
    parameters = [p for p in own if p.kind is not p.VAR_KEYWORD]
    listed = "; ".join(f"``{name}``: {kind.about}" for name, kind in kinds.items())
    parameters = [
        p.replace(annotation=Annotated[str, Parameter(help=listed)]) if p.name == "model" else p
        for p in parameters
    ]
    owners: dict[str, list[str]] = {}
    for name, kind in kinds.items():
        for flag in _fields_of(kind):
            owners.setdefault(flag, []).append(name)
    for flag, names in owners.items():
        group = "Parameters" if len(names) == len(kinds) else f"For {', '.join(names)}"
        words = _help(flag, {name: kinds[name] for name in names})
        parameters.append(
            inspect.Parameter(
                flag,
                inspect.Parameter.KEYWORD_ONLY,
                default=None,
                annotation=Annotated[
                    _type(flag, kinds[names[0]]) | None,
                    Parameter(help=words, group=group, negative="", consume_multiple=True),
                ],
            )
        )
    return inspect.Signature(parameters, return_annotation=None)


def _type(flag: str, kind: ModelKind) -> Any:
    """Return the type of an option for the parser of the command line."""
    if flag == "model_option":
        return tuple[str, ...]
    if flag == "cache_gigabytes":
        return float
    hint = (get_type_hints(kind.options) | get_type_hints(kind.run_options))[flag]
    if isinstance(hint, UnionType):  # such as str | Loss or str | None
        hint = next(part for part in get_args(hint) if part is not NoneType)
    return WholeNumber if hint is int else hint


def _help(flag: str, kinds: Mapping[str, ModelKind]) -> str:
    """Return the help text of an option, with its default for each kind of model."""
    each = {name: _fields_of(kind)[flag] for name, kind in kinds.items()}
    kind, first = next(iter(kinds.values())), next(iter(each.values()))
    classes = [c for base in (kind.options, kind.run_options) for c in base.__mro__]
    home = next(c for c in reversed(classes) if first.name in vars(c).get("__annotations__", ()))
    words = _documented(home).get(first.name, "")
    if flag == "cache_gigabytes":
        return f"{words} In GB."
    if flag == "model_option":
        return "An option of the constructor of your own module, as name=value."
    defaults = {name: f.default for name, f in each.items()}
    if set(defaults.values()) <= {None, (), False}:
        return words
    by_kind = ", ".join(f"{value} ({name})" for name, value in defaults.items())
    is_common = len(set(defaults.values())) == 1
    return f"{words} Default: {next(iter(defaults.values())) if is_common else by_kind}."


def _documented(options: type[Any]) -> dict[str, str]:
    """Return the descriptions of parameters in a numpydoc docstring by name."""
    text = inspect.cleandoc(options.__doc__ or "").partition("Parameters\n----------\n")[2]
    descriptions: dict[str, str] = {}
    names: list[str] = []
    for line in text.partition("\n\n")[0].splitlines():
        if line.startswith(" "):
            for name in names:
                descriptions[name] = f"{descriptions.get(name, '')} {line.strip()}".strip()
        else:
            names = [name.strip() for name in line.split(",")]
    return descriptions


train.__signature__ = _signature()  # type: ignore[attr-defined]
