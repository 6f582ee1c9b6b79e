"""Hardness of instances for a solver, and statistics of their rows and columns."""

from milplib.hardness.levels import LevelThresholds, level_of, majority_level
from milplib.hardness.measure import HardnessProgress, measure
from milplib.hardness.measurement import Measurement
from milplib.hardness.results import HardnessResults
from milplib.hardness.solvers import SOLVERS, Solver, load_solver
from milplib.hardness.summary import FolderSummary
from milplib.hardness.table import COLUMNS
from milplib.structure.row_kinds import ROW_KINDS, row_kinds
from milplib.structure.statistics import InstanceStatistics, instance_statistics

solver_named = load_solver  # deprecated name

__all__ = [
    "COLUMNS",
    "ROW_KINDS",
    "SOLVERS",
    "FolderSummary",
    "HardnessProgress",
    "HardnessResults",
    "InstanceStatistics",
    "LevelThresholds",
    "Measurement",
    "Solver",
    "instance_statistics",
    "level_of",
    "load_solver",
    "majority_level",
    "measure",
    "row_kinds",
    "solver_named",
]
