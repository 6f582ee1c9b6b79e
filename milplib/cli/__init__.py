"""The command line: the only package that reaches into all others, and that nothing imports."""

from milplib.cli.app import main

__all__ = ["main"]
