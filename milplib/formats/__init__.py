"""Instance files: LP and MPS, read by SCIP and written so that they read back equal."""

from milplib.formats.reader import read
from milplib.formats.suffixes import SUFFIXES, file_format, file_stem
from milplib.formats.writer import write

__all__ = ["SUFFIXES", "file_format", "file_stem", "read", "write"]
