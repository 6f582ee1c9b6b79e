"""Arguments of an evaluation, as its manifest holds them."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from milplib.library.evaluated import InstanceEntry
from milplib.outcomes import Word

__all__ = ["ChoiceConfig", "EvaluationConfig", "PolicyEntry", "PolicyKind"]


class PolicyKind(Word):
    """Kind of an evaluated policy."""

    RULE = "rule"
    """A branching rule of SCIP, or a choice of one."""
    FILE = "file"
    """A policy file."""
    SHIPPED = "shipped"
    """The choice among the policies that milplib ships."""
    PYTHON = "python"
    """A Python object."""


class PolicyEntry(TypedDict):
    """Entry of a policy in the manifest, without the path of its file."""

    label: str
    kind: str
    sha256: str
    rule: NotRequired[str]
    """Rule of SCIP, if the caller gave it another label."""
    rules: NotRequired[dict[str, str]]
    """Rule by distribution, if the policy is a choice."""


class EvaluationConfig(TypedDict):
    """Arguments of an evaluation, with the checksums of instances and policies."""

    policies: list[PolicyEntry]
    baseline: str
    instances: list[InstanceEntry]
    seeds: list[int]
    setting: str
    time_limit: float


class ChoiceConfig(TypedDict):
    """Arguments of the evaluation that the best SCIP rule was chosen by."""

    seeds: list[int]
    time_limit: float
    setting: str
