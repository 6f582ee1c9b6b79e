"""Reports of an evaluation: an HTML page, figures, and tables for papers."""

from milplib.report.exports import write_exports
from milplib.report.page import write_report

__all__ = ["write_exports", "write_report"]
