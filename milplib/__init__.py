"""milplib: learning to branch in mixed-integer programming."""

from milplib.errors import MilplibError
from milplib.formats import read
from milplib.instance import Instance
from milplib.library import Distribution, distributions

__all__ = ["Distribution", "Instance", "MilplibError", "distributions", "read"]
__version__ = "0.1.0"
