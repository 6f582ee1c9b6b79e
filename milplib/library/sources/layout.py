"""Layout of the site's archives: the files of each split."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

from milplib.errors import SourceError, SourceUnavailableError
from milplib.formats import SUFFIXES
from milplib.library.folder import SPLITS
from milplib.library.sources.base import split_aliases

__all__ = ["SplitLayout"]

_JUNK = "__macosx"  # extra folder in archives made by macOS


class SplitLayout:
    """Assignment of the files of a folder or archive to the splits of a distribution.

    The site's archives hold ``CA-medium/train/….lp``. Further folders above and below are
    allowed, and the folder of the distribution is optional. If it exists, files outside of it
    are ignored.

    Parameters
    ----------
    paths
        Relative paths of all files, with ``/`` as separator.
    name
        Name of the distribution.
    where
        Name of the folder or archive in messages.

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
        self.is_empty = not instances
        """Whether there are no instance files."""
        self.is_named = bool(own)
        """Whether there is a folder of the distribution."""
        self._by_split = {split: self._below(split) for split in SPLITS}
        self.splits = tuple(split for split in SPLITS if self._by_split[split])
        """Splits that have their own folder."""

    def files(self, split: str) -> list[tuple[str, tuple[str, ...]]]:
        """Return the path of each file of a split, and its parts below the split's folder.

        If no split has its own folder, all files belong to the split.

        Raises
        ------
        SourceError
            If there are no instance files.
        SourceUnavailableError
            If only other splits have instance files.
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
