"""Policies at run time: scoring without torch, policy files, combinations, SCIP plugin."""

from milplib.policies.choice import TIE_TOLERANCE, best_candidate, tied_with_best
from milplib.policies.combinations import Portfolio, Switch
from milplib.policies.families import (
    Family,
    portfolio_of,
    read_families,
    write_families,
)
from milplib.policies.file import POLICY_VERSION, PolicyFile, read_policy, write_policy
from milplib.policies.forest import ForestPolicy
from milplib.policies.gcnn import GCNN_SUMS, GcnnPolicy, gcnn_shapes
from milplib.policies.loading import ARCHITECTURES, auto_policy, load_policy
from milplib.policies.model_kinds import ModelKind, find_model_kind, model_kind_names
from milplib.policies.networks import register_network
from milplib.policies.picked import Picked, PickReason
from milplib.policies.plugin import OnError, PolicyUse, include_policy, included_policy
from milplib.policies.policy import FunctionPolicy, Policy, ScipRule
from milplib.policies.pretrained import (
    AUTO,
    pretrained_card,
    pretrained_families,
    pretrained_file,
    pretrained_names,
)
from milplib.policies.ranking import LinearPolicy
from milplib.policies.rules import TUNED_RELPSCOST
from milplib.structure.family_features import FAMILY_FEATURES, family_features

# Name of earlier versions, which is public.
model_kind = find_model_kind

__all__ = [
    "ARCHITECTURES",
    "AUTO",
    "FAMILY_FEATURES",
    "GCNN_SUMS",
    "POLICY_VERSION",
    "TIE_TOLERANCE",
    "TUNED_RELPSCOST",
    "Family",
    "ForestPolicy",
    "FunctionPolicy",
    "GcnnPolicy",
    "LinearPolicy",
    "ModelKind",
    "OnError",
    "PickReason",
    "Picked",
    "Policy",
    "PolicyFile",
    "PolicyUse",
    "Portfolio",
    "ScipRule",
    "Switch",
    "auto_policy",
    "best_candidate",
    "family_features",
    "find_model_kind",
    "gcnn_shapes",
    "include_policy",
    "included_policy",
    "load_policy",
    "model_kind",
    "model_kind_names",
    "portfolio_of",
    "pretrained_card",
    "pretrained_families",
    "pretrained_file",
    "pretrained_names",
    "read_families",
    "read_policy",
    "register_network",
    "tied_with_best",
    "write_families",
    "write_policy",
]
