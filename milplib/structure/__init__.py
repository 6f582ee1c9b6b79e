"""Structure of an instance: kinds of rows, and statistics of rows and columns."""

from milplib.structure.row_kinds import ROW_KINDS, row_kinds
from milplib.structure.statistics import InstanceStatistics, instance_statistics

__all__ = ["ROW_KINDS", "InstanceStatistics", "instance_statistics", "row_kinds"]
