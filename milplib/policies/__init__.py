"""Policies at run time: scoring without torch, policy files, combinations, the plugin."""

from milplib.policies.choice import TIE_TOLERANCE, best_candidate, tied_with_best
from milplib.policies.combinations import Portfolio, Switch
from milplib.policies.file import POLICY_VERSION, PolicyFile, read_policy, write_policy
from milplib.policies.forest import ForestPolicy
from milplib.policies.gcnn import GcnnPolicy, gcnn_shapes
from milplib.policies.loading import ARCHITECTURES, load_policy
from milplib.policies.plugin import PolicyUse, include_policy
from milplib.policies.policy import FunctionPolicy, Policy, ScipRule
from milplib.policies.ranking import LinearPolicy
from milplib.policies.rules import TUNED_RELPSCOST

__all__ = [
    "ARCHITECTURES",
    "POLICY_VERSION",
    "TIE_TOLERANCE",
    "TUNED_RELPSCOST",
    "ForestPolicy",
    "FunctionPolicy",
    "GcnnPolicy",
    "LinearPolicy",
    "Policy",
    "PolicyFile",
    "PolicyUse",
    "Portfolio",
    "ScipRule",
    "Switch",
    "best_candidate",
    "gcnn_shapes",
    "include_policy",
    "load_policy",
    "read_policy",
    "tied_with_best",
    "write_policy",
]
