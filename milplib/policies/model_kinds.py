"""Kinds of models: one description each, for training, studies and `load_policy`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import EntryPoint
from pkgutil import resolve_name
from typing import Any, TypeAlias

from milplib.errors import MilplibError, ParameterError, UnknownNameError
from milplib.extensions import entry_points_of, load_extension
from milplib.named import load_object
from milplib.policies.networks import is_network, network_name
from milplib.policies.policy import Policy

__all__ = [
    "MODELS",
    "NETWORK",
    "ModelKind",
    "Scorer",
    "declared_network",
    "find_model_kind",
    "find_scorer",
    "model_kind_names",
    "model_kinds",
]

MODELS = "milplib.models"
"""Entry-point group in which packages declare kinds of models."""

NETWORK = "network"
"""Name of the kind for user-defined torch modules, and of their architecture."""

Scorer: TypeAlias = Callable[..., Policy]
"""Callable that makes a policy from a `PolicyFile`, with keywords ``name`` and ``blocks``."""


@dataclass(frozen=True, kw_only=True)
class ModelKind:
    """A kind of model: its training and its scoring at run time.

    Declare a kind in the pyproject.toml of your package, under
    ``[project.entry-points."milplib.models"]``, or name it as ``"package.module:NAME"``. Functions
    and classes that are given as text are imported on first use, so that a description loads no
    heavy package.

    Parameters
    ----------
    name
        Name on the command line, in studies and in policy files.
    about
        Short description for the command line's help.
    options
        Frozen dataclass of the options that determine the trained policy. Its defaults are the
        defaults of `milplib.learn.train`, of the command line and of studies.
    run_options
        Frozen dataclass of the options for where and how training computes.
    fit
        Training function, or its name as ``"package.module:name"``. It takes a
        `milplib.learn.TrainingTask`, writes the policy file and returns a
        `milplib.learn.TrainingResult`.
    scorers
        Scorer, or its name, by the architecture in policy files of this kind. A scorer is a class
        or function that is called with a `PolicyFile`, ``name`` and ``blocks`` and returns a
        `Policy`.
    packages, extra
        Packages that training needs, and milplib's extra that installs them.
    network
        User-defined torch module to train, or None.

    Examples
    --------
    >>> gcnn = find_model_kind("gcnn")
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
        """Import and return the training function."""
        fit: Callable[[Any], Any] = (
            resolve_name(self.fit) if isinstance(self.fit, str) else self.fit
        )
        return fit

    def scorer(self, architecture: str) -> Scorer:
        """Import and return the scorer of an architecture."""
        named = self.scorers[architecture]
        scorer: Scorer = resolve_name(named) if isinstance(named, str) else named
        return scorer


@cache
def _declared() -> dict[str, EntryPoint]:
    return entry_points_of(MODELS)


@cache
def _loaded(name: str) -> ModelKind:
    return _kind_of(load_extension(MODELS, _declared()[name]), name=name)


def model_kind_names() -> tuple[str, ...]:
    """List the names of the kinds that installed packages declare, without loading them.

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
        If a kind cannot be loaded.
    """
    return {name: _loaded(name) for name in _declared()}


def find_model_kind(model: object) -> ModelKind:
    """Find a kind of model.

    Parameters
    ----------
    model
        Declared name such as ``"gcnn"``, ``"package.module:Name"`` of a user-defined `ModelKind` or
        ``torch.nn.Module`` class, or such an object.

    Raises
    ------
    UnknownNameError
        If no installed package declares the name.
    ParameterError
        If the object cannot be imported, or is neither a `ModelKind` nor a torch module.

    Examples
    --------
    >>> find_model_kind("gbdt").options().trees
    300
    """
    if not isinstance(model, str):
        return _kind_of(model)
    if ":" in model:
        return _kind_of(load_object(model, role="model"), name=model)
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
    """Return the torch module that an installed package declares, or None.

    Parameters
    ----------
    name
        Name of the class, as ``"package.module:Class"``.
    """
    for kind, point in _declared().items():
        if point.value == name:
            return _loaded(kind).network
    return None


def find_scorer(architecture: str, own: Iterable[ModelKind] = ()) -> Scorer | None:
    """Find the scorer of an architecture; return None if no kind has one.

    Parameters
    ----------
    architecture
        Architecture of a policy file.
    own
        User-defined kinds, which take precedence over declared ones.

    Examples
    --------
    >>> find_scorer("forest").__name__
    'ForestPolicy'
    """
    for kind in own:
        if kind.network is None and architecture in kind.scorers:
            return kind.scorer(architecture)
    # Try the kind of the same name first, so that others need not be loaded.
    for name in sorted(_declared(), key=lambda name: name != architecture):
        try:
            kind = _loaded(name)
        except MilplibError:  # a broken package must not disable the policies of others
            continue
        if architecture in kind.scorers:
            return kind.scorer(architecture)
    return None
