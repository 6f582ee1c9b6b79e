"""Fetch a distribution from a named source, or from the first source that has it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from milplib.arguments import checked, listed
from milplib.errors import UnknownNameError
from milplib.library.cache import Cache
from milplib.library.catalogue import find_distribution
from milplib.library.folder import SPLITS
from milplib.library.sources import SourceLimits
from milplib.library.split_fetcher import FetchedSplit, Fetcher, FetchProgress

__all__ = ["fetch"]


@checked
def fetch(
    name: str,
    *,
    source: str | os.PathLike[str] | None = None,
    splits: Iterable[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    offline: bool = False,
    force: bool = False,
    verify: bool = True,
    progress: FetchProgress | None = None,
    limits: SourceLimits | None = None,
) -> list[FetchedSplit]:
    """Fetch splits of a distribution as folders of instance files with manifests.

    Complete splits are not fetched again, and an interrupted fetch is continued. Several
    processes may fetch at the same time.

    Parameters
    ----------
    name
        Name of the distribution.
    source
        ``"mirror"``, ``"site"`` (an archive in the cache's folder ``site``, downloaded by
        hand), ``"generator"``, the path of a folder or zip archive, or the URL of an archive. A
        folder has the layout of the site or that of the mirror (``CA/medium/train.csv``).
        Default: the first of site, mirror and generator that has the distribution.
    splits
        Any of ``train``, ``val`` and ``test``. Default: all splits of the source.
    out
        Output folder of ``train``, ``val`` and ``test``. Default: the cache.
    offline
        Whether to contact no server.
    force
        Whether to replace existing files.
    verify
        Whether to compare the checksums of existing files, or only their sizes.
    progress
        Callbacks that report progress.
    limits
        Limits on the size of instances and archives. Default:
        ``milplib.library.SourceLimits()``.

    Returns
    -------
    list of FetchedSplit
        One entry per split.

    Raises
    ------
    UnknownNameError
        If the distribution or a split is unknown.
    SourceUnavailableError
        If no source has the distribution, or the named source is missing.
    SourceError
        If the source is damaged, unsafe, or changed since the first fetch.
    OutputError
        If a folder holds other files or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> fetched = fetch("SC-milplib-small", splits=["test"], out=tempfile.mkdtemp())
    >>> fetched[0].origin, len(fetched[0].manifest.records)
    ('generated', 100)
    """
    entry = find_distribution(name)
    wanted = None if splits is None else tuple(listed(splits, "splits"))
    for split in wanted or ():
        if split not in SPLITS:
            raise UnknownNameError("split", split, SPLITS)
    fetcher = Fetcher(
        entry,
        cache=Cache.default(),
        out=None if out is None else Path(out),
        offline=offline,
        force=force,
        verify=verify,
        progress=progress or FetchProgress(),
        limits=limits,
    )
    if source is not None:
        return fetcher.fetch(os.fspath(source), wanted)
    return fetcher.fetch_from_any(wanted)
