"""Policies at run time: scoring without torch, policy files, combinations, the plugin."""

from milplib.policies.choice import TIE_TOLERANCE, best_candidate, tied_with_best
from milplib.policies.combinations import Portfolio, Switch
from milplib.policies.families import (
    FAMILY_FEATURES,
    Family,
    family_features,
    portfolio_of,
    read_families,
    write_families,
)
from milplib.policies.file import POLICY_VERSION, PolicyFile, read_policy, write_policy
from milplib.policies.forest import ForestPolicy
from milplib.policies.gcnn import GCNN_SUMS, GcnnPolicy, gcnn_shapes
from milplib.policies.loading import ARCHITECTURES, load_policy
from milplib.policies.plugin import OnError, PolicyUse, include_policy
from milplib.policies.policy import FunctionPolicy, Policy, ScipRule
from milplib.policies.pretrained import (
    AUTO,
    auto_policy,
    pretrained_card,
    pretrained_families,
    pretrained_file,
    pretrained_names,
)
from milplib.policies.ranking import LinearPolicy
from milplib.policies.rules import TUNED_RELPSCOST

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
    "OnError",
    "Policy",
    "PolicyFile",
    "PolicyUse",
    "Portfolio",
    "ScipRule",
    "Switch",
    "auto_policy",
    "best_candidate",
    "family_features",
    "gcnn_shapes",
    "include_policy",
    "load_policy",
    "portfolio_of",
    "pretrained_card",
    "pretrained_families",
    "pretrained_file",
    "pretrained_names",
    "read_families",
    "read_policy",
    "tied_with_best",
    "write_families",
    "write_policy",
]
