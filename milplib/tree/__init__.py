"""Search trees: recording during a solve, layout and drawing."""

from milplib.tree.drawing import draw_tree
from milplib.tree.record import record_tree
from milplib.tree.search_tree import SearchTree

__all__ = ["SearchTree", "draw_tree", "record_tree"]
