"""The command line. It may import every other package, and no package imports it."""

from milplib.cli.app import main

__all__ = ["main"]
