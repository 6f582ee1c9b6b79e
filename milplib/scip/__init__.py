"""All that touches SCIP: state extraction, the expert, settings, solves."""

from milplib.scip.extraction import branching_candidates, extract_state
from milplib.scip.state import ROW_FEATURES, STATE_VERSION, VARIABLE_FEATURES, BranchingState
from milplib.scip.state_functions import StateFunction

__all__ = [
    "ROW_FEATURES",
    "STATE_VERSION",
    "VARIABLE_FEATURES",
    "BranchingState",
    "StateFunction",
    "branching_candidates",
    "extract_state",
]
