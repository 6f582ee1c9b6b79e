"""Sources of published instances: folders, archives and the mirror."""

from milplib.library.sources.archive import ArchiveSource
from milplib.library.sources.base import InstanceSource, OnBytes, RawInstance
from milplib.library.sources.csv_rows import csv_instances
from milplib.library.sources.folder import FolderSource
from milplib.library.sources.limits import SourceLimits
from milplib.library.sources.mirror import MirrorSource
from milplib.library.sources.mirror_folder import MirrorFolder

__all__ = [
    "ArchiveSource",
    "FolderSource",
    "InstanceSource",
    "MirrorFolder",
    "MirrorSource",
    "OnBytes",
    "RawInstance",
    "SourceLimits",
    "csv_instances",
]
