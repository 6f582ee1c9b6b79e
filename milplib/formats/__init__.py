"""Conversion between instances, LP and MPS files, and SCIP models.

This package exports the functions that work on `InstanceArrays`. It does not export `reader.read`
and `from_scip.from_scip`, because they build an `Instance`, which imports the writers from here.
"""

from milplib.formats.suffixes import SUFFIXES, file_format, file_stem
from milplib.formats.writer import write

__all__ = ["SUFFIXES", "file_format", "file_stem", "write"]
