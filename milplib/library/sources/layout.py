"""The layout that the site's archives unpack to: which of many files belong to a split."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

from milplib.errors import SourceError, SourceUnavailableError
from milplib.formats import SUFFIXES
from milplib.library.folder import SPLITS
from milplib.library.sources.base import split_aliases

__all__ = ["SplitLayout"]

_JUNK = "__macosx"  # a folder that archives made by macOS have


class SplitLayout:
    """Which files of a folder or an archive belong to which split of a distribution.

    The site's archives hold ``CA-medium/train/….lp``. Any folders may stand before that and
    below it, and the folder of the distribution may be missing. Where several distributions lie
    side by side, only the folder of the asked one counts.

    Parameters
    ----------
    paths
        Of all files, relative, with ``/`` between the parts.
    name
        The distribution.
    where
        What the folder or archive is called in messages.

    Examples
    --------
    >>> layout = SplitLayout(["CA-medium/train/1.lp", "CA-medium/val/2.mps.gz", "README"],
    ...                      name="CA-medium", where="ca.zip")
    >>> layout.splits, layout.files("train")
    (('train', 'val'), [('CA-medium/train/1.lp', ('1.lp',))])
    """

    def __init__(self, paths: Iterable[str], *, name: str, where: str) -> None:
        self._where = where
        instances = [(path, parts) for path in paths if _is_instance(parts := _parts(path))]
        own = [
            (path, parts[at + 1 :])
            for path, parts in instances
            if (at := _position(parts, lambda part: part == name.casefold())) is not None
        ]
        self._files = own or instances
        self._by_split = {split: self._below(split) for split in SPLITS}
        self.splits = tuple(split for split in SPLITS if self._by_split[split])
        """The splits that have a folder here."""

    def files(self, split: str) -> list[tuple[str, tuple[str, ...]]]:
        """Give the files of a split, each with its parts below the split's folder.

        Where no split has a folder of its own, all files are the split's.

        Raises
        ------
        SourceError
            If there are none at all.
        SourceUnavailableError
            If there are some of other splits.
        """
        files = self._by_split[split] if self.splits else self._files
        if not files:
            missing = f"there are no instance files ({', '.join(SUFFIXES)})"
            if not self.splits:
                raise SourceError(f"{missing} in {self._where}")
            raise SourceUnavailableError(
                f"{missing} in a folder '{split}' of {self._where}; it has "
                f"{' and '.join(self.splits)}"
            )
        return sorted(files, key=lambda file: file[1])

    def _below(self, split: str) -> list[tuple[str, tuple[str, ...]]]:
        aliases = split_aliases(split)
        return [
            (path, parts[at + 1 :])
            for path, parts in self._files
            if (at := _position(parts, aliases.__contains__)) is not None
        ]


def _parts(path: str) -> tuple[str, ...]:
    return PurePosixPath(path).parts


def _is_instance(parts: tuple[str, ...]) -> bool:
    hidden = any(part.startswith(".") or part.casefold() == _JUNK for part in parts)
    return bool(parts) and not hidden and parts[-1].lower().endswith(SUFFIXES)


def _position(parts: tuple[str, ...], is_wanted: Callable[[str], bool]) -> int | None:
    folders = (part.casefold() for part in parts[:-1])
    return next((at for at, part in enumerate(folders) if is_wanted(part)), None)
