"""Judging policies: paired runs, one long table, means and ratios with intervals, a report."""

from milplib.evaluation.checks import Finding, check_runs
from milplib.evaluation.evaluation import EvaluationProgress, evaluate
from milplib.evaluation.report import write_report
from milplib.evaluation.results import Evaluation
from milplib.evaluation.statistics import (
    NODE_SHIFT,
    TIME_SHIFT,
    RatioEstimate,
    compare,
    shifted_geometric_mean,
)
from milplib.evaluation.summary import ALL, Comparison, Failure, PolicySummary, Summary
from milplib.evaluation.table import COLUMNS

__all__ = [
    "ALL",
    "COLUMNS",
    "NODE_SHIFT",
    "TIME_SHIFT",
    "Comparison",
    "Evaluation",
    "EvaluationProgress",
    "Failure",
    "Finding",
    "PolicySummary",
    "RatioEstimate",
    "Summary",
    "check_runs",
    "compare",
    "evaluate",
    "shifted_geometric_mean",
    "write_report",
]
