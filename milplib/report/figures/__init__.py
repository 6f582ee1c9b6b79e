"""Figures of a report, one module per kind."""

from milplib.report.figures.curves import gap_curves, gap_plot, profile_plot
from milplib.report.figures.heat_map import heat_map_plot
from milplib.report.figures.plot import Plot
from milplib.report.figures.ratios import ratio_plot, seed_plot
from milplib.report.figures.scatter import scatter_plot
from milplib.report.figures.time_split import time_split, time_split_plot

__all__ = [
    "Plot",
    "gap_curves",
    "gap_plot",
    "heat_map_plot",
    "profile_plot",
    "ratio_plot",
    "scatter_plot",
    "seed_plot",
    "time_split",
    "time_split_plot",
]
