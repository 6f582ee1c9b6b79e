"""Fetch a distribution: from a source that is named, or from the first that has it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from milplib.errors import UnknownNameError
from milplib.library.cache import Cache
from milplib.library.catalogue import distribution
from milplib.library.folder import SPLITS
from milplib.library.split_fetcher import FetchedSplit, Fetcher, FetchProgress

__all__ = ["fetch"]


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
) -> list[FetchedSplit]:
    """Fetch splits of a distribution, each as a folder of instance files with a manifest.

    A split that is there and complete is not fetched again, and one that is not goes on where
    it was interrupted. Several processes may fetch at once.

    Parameters
    ----------
    name
        Name of the distribution.
    source
        ``"mirror"``, ``"site"`` (an archive that was downloaded by hand into the cache's folder
        ``site``), ``"generator"``, the path of a folder or zip archive, or an archive's URL. If
        not given, the first three are tried: the site's archive, the mirror, the generator.
    splits
        ``train``, ``val``, ``test``; all that the source has if not given.
    out
        Folder to write ``train``, ``val`` and ``test`` into; the cache if not given.
    offline
        Use nothing that is not on this machine.
    force
        Replace what is there.
    verify
        Whether checksums of what is there are compared, or sizes only.
    progress
        Whom to tell how it goes.

    Returns
    -------
    list of FetchedSplit
        Split by split.

    Raises
    ------
    UnknownNameError
        If there is no such distribution or split.
    SourceUnavailableError
        If no source has it, or the one named is not there.
    SourceError
        If the source is damaged, unsafe, or not what it was when it was first fetched.
    OutputError
        If a folder is in use by something else, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> found = fetch("SC-milplib-small", splits=["test"], out=tempfile.mkdtemp())
    >>> found[0].origin, len(found[0].manifest.records)
    ('generated', 100)
    """
    entry = distribution(name)
    wanted = None if splits is None else tuple(splits)
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
    )
    if source is not None:
        return fetcher.fetch(os.fspath(source), wanted)
    return fetcher.fetch_from_any(wanted)
