"""Interface to SCIP: state extraction, experts and settings."""

from milplib.scip.blocks import BLOCKS, load_state_functions
from milplib.scip.blocks.khalil import KhalilFeature
from milplib.scip.blocks.pseudocost import PseudocostFeature
from milplib.scip.blocks.tree import TreeFeature
from milplib.scip.experts import EXPERTS, Expert, FullStrongBranching, load_expert
from milplib.scip.extraction import branching_candidates, extract_state
from milplib.scip.features import (
    ROW_FEATURES,
    VARIABLE_FEATURES,
    Feature,
    RowFeature,
    VariableFeature,
)
from milplib.scip.limited_strong_branching import LimitedStrongBranching, Screening
from milplib.scip.settings import (
    SETTINGS,
    apply_setting,
    branching_rule_names,
    use_branching_rule,
)
from milplib.scip.state import STATE_VERSION, BranchingState
from milplib.scip.state_functions import (
    BlockSchema,
    StateFunction,
    check_state_functions,
)
from milplib.scip.strong_branching import (
    StrongBranchingResult,
    StrongBranchingRule,
    strong_branching,
)

__all__ = [
    "BLOCKS",
    "EXPERTS",
    "ROW_FEATURES",
    "SETTINGS",
    "STATE_VERSION",
    "VARIABLE_FEATURES",
    "BlockSchema",
    "BranchingState",
    "Expert",
    "Feature",
    "FullStrongBranching",
    "KhalilFeature",
    "LimitedStrongBranching",
    "PseudocostFeature",
    "RowFeature",
    "Screening",
    "StateFunction",
    "StrongBranchingResult",
    "StrongBranchingRule",
    "TreeFeature",
    "VariableFeature",
    "apply_setting",
    "branching_candidates",
    "branching_rule_names",
    "check_state_functions",
    "extract_state",
    "load_expert",
    "load_state_functions",
    "strong_branching",
    "use_branching_rule",
]
