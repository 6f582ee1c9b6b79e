"""Instances as LP and MPS files and as SCIP models; files read back equal.

This package exports what works on `InstanceArrays`. `reader.read` and `from_scip.from_scip` build
an `Instance`, which imports the writers from here.
"""

from milplib.formats.suffixes import SUFFIXES, file_format, file_stem
from milplib.formats.writer import write

__all__ = ["SUFFIXES", "file_format", "file_stem", "write"]
