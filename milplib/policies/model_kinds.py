"""Kinds of models: one description of each, which training, studies and `load_policy` read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import EntryPoint
from pkgutil import resolve_name
from typing import Any, TypeAlias

from milplib.errors import MilplibError, ParameterError, UnknownNameError
from milplib.extensions import entry_points_of, loaded_extension
from milplib.named import named_object
from milplib.policies.networks import is_network, network_name
from milplib.policies.policy import Policy

__all__ = [
    "MODELS",
    "NETWORK",
    "ModelKind",
    "Scorer",
    "declared_network",
    "model_kind",
    "model_kind_names",
    "model_kinds",
    "scorer_of",
]

MODELS = "milplib.models"
"""The entry-point group in which packages declare kinds of models."""

NETWORK = "network"
"""Name of the kind that trains torch modules of a user's own, and of their architecture."""

Scorer: TypeAlias = Callable[..., Policy]
"""Makes a policy of a file's content: called with a `PolicyFile`, and ``name`` and ``blocks``."""


@dataclass(frozen=True, kw_only=True)
class ModelKind:
    """A kind of model: how it is trained, and how it scores at run time.

    Declare one in your package's pyproject.toml, under ``[project.entry-points."milplib.models"]``,
    or name it as ``"package.module:NAME"``. Objects named by text are imported when they are used,
    so that a description loads no heavy package.

    Parameters
    ----------
    name
        Its name on the command line, in studies and in policy files.
    about
        A few words for the help.
    options
        The frozen dataclass of what a trained policy depends on. Its defaults are the defaults of
        `milplib.learn.train`, the command line and studies.
    run_options
        The frozen dataclass of where and how training computes.
    fit
        The function that trains: takes a `milplib.learn.TrainingTask`, writes the policy file,
        gives a `milplib.learn.TrainingResult`. Or its name, as ``"package.module:name"``.
    scorers
        Scorer by the architecture that policy files of this kind name: a class or function called
        with a `PolicyFile`, ``name`` and ``blocks`` that gives a `Policy`. Or its name.
    packages, extra
        Packages that training needs, and milplib's extra that installs them.
    network
        The torch module that is trained, where it is one of a user's own.

    Examples
    --------
    >>> gcnn = model_kind("gcnn")
    >>> gcnn.options().hidden, gcnn.scorer("gcnn").__name__
    (64, 'GcnnPolicy')
    """

    name: str
    options: type[Any]
    run_options: type[Any]
    fit: str | Callable[[Any], Any]
    scorers: Mapping[str, str | Scorer] = field(default_factory=dict)
    about: str = ""
    packages: tuple[str, ...] = ()
    extra: str = ""
    network: type[Any] | None = None

    def fitter(self) -> Callable[[Any], Any]:
        """Give the function that trains, imported now."""
        fit: Callable[[Any], Any] = (
            resolve_name(self.fit) if isinstance(self.fit, str) else self.fit
        )
        return fit

    def scorer(self, architecture: str) -> Scorer:
        """Give the scorer of one of its architectures, imported now."""
        named = self.scorers[architecture]
        scorer: Scorer = resolve_name(named) if isinstance(named, str) else named
        return scorer


@cache
def _declared() -> dict[str, EntryPoint]:
    return entry_points_of(MODELS)


@cache
def _loaded(name: str) -> ModelKind:
    return _kind_of(loaded_extension(MODELS, _declared()[name]), name=name)


def model_kind_names() -> tuple[str, ...]:
    """Names of the kinds that installed packages declare; loads none of them.

    Examples
    --------
    >>> model_kind_names()
    ('extratrees', 'gbdt', 'gcnn', 'linear', 'network')
    """
    return tuple(_declared())


def model_kinds() -> dict[str, ModelKind]:
    """Load all kinds that installed packages declare, by name.

    Raises
    ------
    MilplibError
        If one cannot be loaded.
    """
    return {name: _loaded(name) for name in _declared()}


def model_kind(model: object) -> ModelKind:
    """Find a kind of model.

    Parameters
    ----------
    model
        A declared name such as ``"gcnn"``; ``"package.module:Name"`` for a `ModelKind` or a
        ``torch.nn.Module`` class of a user's own; or such an object itself.

    Raises
    ------
    UnknownNameError
        If no package declares the name.
    ParameterError
        If the object cannot be imported, or is neither a `ModelKind` nor a torch module.

    Examples
    --------
    >>> model_kind("gbdt").options().trees
    300
    """
    if not isinstance(model, str):
        return _kind_of(model)
    if ":" in model:
        return _kind_of(named_object(model, kind="model"), name=model)
    if model not in _declared():
        hint = "(one of your own: package.module:Name)"
        raise UnknownNameError("kind of model", model, _declared(), hint=hint)
    return _loaded(model)


def _kind_of(model: object, *, name: str = "") -> ModelKind:
    if isinstance(model, ModelKind):
        return model
    if is_network(model):
        return replace(_loaded(NETWORK), name=name or network_name(model), network=model)
    where = f"the model '{name}' is" if name else "the model is"
    raise ParameterError(
        f"{where} {model!r}, no class of torch modules: give a subclass of torch.nn.Module, or a "
        "milplib.policies.ModelKind"
    )


def declared_network(name: str) -> type[Any] | None:
    """Give the torch module that a package declares as a kind of model under a class's name.

    Parameters
    ----------
    name
        ``"package.module:Class"``.
    """
    for kind, point in _declared().items():
        if point.value == name:
            return _loaded(kind).network
    return None


def scorer_of(architecture: str, own: Iterable[ModelKind] = ()) -> Scorer | None:
    """Find what scores with policy files of an architecture; None if no kind does.

    Parameters
    ----------
    architecture
        As a policy file names it.
    own
        Kinds that are asked before those declared.

    Examples
    --------
    >>> scorer_of("forest").__name__
    'ForestPolicy'
    """
    for kind in own:
        if kind.network is None and architecture in kind.scorers:
            return kind.scorer(architecture)
    # A kind called like the architecture comes first: others need not be loaded then.
    for name in sorted(_declared(), key=lambda name: name != architecture):
        try:
            kind = _loaded(name)
        except MilplibError:  # a broken package must not keep others' policies from running
            continue
        if architecture in kind.scorers:
            return kind.scorer(architecture)
    return None
