"""Compare policies: paired runs in one table, with means, ratios and confidence intervals."""

from typing import NoReturn

from milplib.evaluation.best_scip_rule import SCIP_RULES, BestScipRule
from milplib.evaluation.checks import Finding, check_runs
from milplib.evaluation.evaluation import evaluate
from milplib.evaluation.matrix import Matrix, matrix
from milplib.evaluation.profiles import PerformanceProfile, performance_profile
from milplib.evaluation.progress import EvaluationProgress
from milplib.evaluation.results import Evaluation
from milplib.evaluation.rule_search import best_scip_rule
from milplib.evaluation.significance import SignedRank, holm, signed_rank
from milplib.evaluation.statistics import (
    NODE_SHIFT,
    TIME_SHIFT,
    RatioEstimate,
    compare,
    shifted_geometric_mean,
)
from milplib.evaluation.summary import (
    ALL,
    Comparison,
    Failure,
    PolicySummary,
    Summary,
    VirtualBest,
)
from milplib.evaluation.table import COLUMNS

# Deprecated names, kept for existing code.
NATIVE_RULES = SCIP_RULES
BestNative = BestScipRule
best_native = best_scip_rule

__all__ = [
    "ALL",
    "COLUMNS",
    "NATIVE_RULES",
    "NODE_SHIFT",
    "SCIP_RULES",
    "TIME_SHIFT",
    "BestNative",
    "BestScipRule",
    "Comparison",
    "Evaluation",
    "EvaluationProgress",
    "Failure",
    "Finding",
    "Matrix",
    "PerformanceProfile",
    "PolicySummary",
    "RatioEstimate",
    "SignedRank",
    "Summary",
    "VirtualBest",
    "best_native",
    "best_scip_rule",
    "check_runs",
    "compare",
    "evaluate",
    "holm",
    "matrix",
    "performance_profile",
    "shifted_geometric_mean",
    "signed_rank",
]

_MOVED = {
    "write_exports": "milplib.report",
    "write_report": "milplib.report",
    "SearchTree": "milplib.tree",
    "draw_tree": "milplib.tree",
    "record_tree": "milplib.tree",
}


def __getattr__(name: str) -> NoReturn:
    hint = f"; {name} moved to {_MOVED[name]}" if name in _MOVED else ""
    raise AttributeError(f"module 'milplib.evaluation' has no attribute '{name}'{hint}")
