"""Sources of published instances: folders, archives and the mirror."""

from milplib.library.sources.archive import ArchiveLimits, ArchiveSource
from milplib.library.sources.base import InstanceSource, OnBytes, RawInstance
from milplib.library.sources.csv_rows import csv_instances
from milplib.library.sources.folder import FolderSource
from milplib.library.sources.mirror import MirrorSource

__all__ = [
    "ArchiveLimits",
    "ArchiveSource",
    "FolderSource",
    "InstanceSource",
    "MirrorSource",
    "OnBytes",
    "RawInstance",
    "csv_instances",
]
