"""Kinds of models that milplib ships, declared in pyproject.toml under ``milplib.models``."""

from __future__ import annotations

from milplib.learn.options import (
    ExtraTreesOptions,
    GbdtOptions,
    GcnnOptions,
    NetworkRunOptions,
    OwnNetworkOptions,
    RunOptions,
    TrainingOptions,
)
from milplib.policies.model_kinds import NETWORK, ModelKind

__all__ = ["EXTRATREES", "GBDT", "GCNN", "LINEAR", "OWN_NETWORK"]

_TORCH = ("torch", "torch_geometric")

GCNN = ModelKind(
    name="gcnn",
    about="the graph convolutional network of Gasse et al.",
    options=GcnnOptions,
    run_options=NetworkRunOptions,
    fit="milplib.learn.training.gcnn:fit_gcnn",
    scorers={"gcnn": "milplib.policies.gcnn:GcnnPolicy"},
    packages=_TORCH,
    extra="learn",
)

LINEAR = ModelKind(
    name="linear",
    about="a weighted sum of each candidate's features",
    options=TrainingOptions,
    run_options=RunOptions,
    fit="milplib.learn.rankers.fit:fit_ranker",
    scorers={"linear": "milplib.policies.ranking:LinearPolicy"},
    packages=_TORCH,
    extra="learn",
)

GBDT = ModelKind(
    name="gbdt",
    about="boosted trees, by LightGBM's lambdarank",
    options=GbdtOptions,
    run_options=RunOptions,
    fit="milplib.learn.rankers.fit:fit_ranker",
    scorers={"forest": "milplib.policies.forest:ForestPolicy"},
    packages=(*_TORCH, "lightgbm"),
    extra="learn,rankers",
)

EXTRATREES = ModelKind(
    name="extratrees",
    about="scikit-learn's extra trees on the expert's scores",
    options=ExtraTreesOptions,
    run_options=RunOptions,
    fit="milplib.learn.rankers.fit:fit_ranker",
    scorers={"forest": "milplib.policies.forest:ForestPolicy"},
    packages=(*_TORCH, "sklearn"),
    extra="learn,rankers",
)

OWN_NETWORK = ModelKind(
    name=NETWORK,
    about="a torch module of your own, named as package.module:Net",
    options=OwnNetworkOptions,
    run_options=NetworkRunOptions,
    fit="milplib.learn.training.own_network:fit_own_network",
    scorers={NETWORK: "milplib.learn.models.network_policy:NetworkPolicy"},
    packages=_TORCH,
    extra="learn",
)
