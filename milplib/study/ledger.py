"""What of a study is done: the ledger that is committed, and the work that is not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from milplib.errors import ResultsError
from milplib.files import atomic_write, atomic_write_json, file_sha256, make_folder
from milplib.study.piece import Bench, Made, Piece

__all__ = ["LEDGER", "Ledger", "study_facts"]

LEDGER = "study.json"
"""Name of the ledger in the folder of the results."""

_DONE = "done.json"
_FORMAT, _VERSION = "milplib-study", 1


class Ledger:
    """Which address gave which output.

    A piece with files to commit is done if the ledger has its address and the files have the
    checksums that stand there. Of samples and instances the ledger keeps a digest: what is made
    of them can be trusted without them.

    Parameters
    ----------
    bench
        The folders.

    Examples
    --------
    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp())
    >>> Ledger(Bench(data=place / "data", results=place / "results")).facts
    {}
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._path = bench.results / LEDGER
        self._entries = _entries(self._path)

    @property
    def facts(self) -> dict[str, Mapping[str, Any]]:
        """What the pieces that are done say of themselves, by address."""
        return _facts(self._entries)

    def digest(self, piece: Piece) -> str | None:
        """Give the digest of what a piece made; None if it is not known."""
        entry = self._entries.get(piece.address)
        return str(entry["digest"]) if entry else None

    def has(self, piece: Piece) -> bool:
        """Whether a piece is done, and its files are committed and whole."""
        entry = self._entries.get(piece.address)
        return entry is not None and self._is_whole(piece, entry["files"], self._bench.results)

    def can_adopt(self, piece: Piece) -> bool:
        """Whether a piece was done before, here or for another study, and is not committed."""
        return not self.has(piece) and self._found(piece) is not None

    def is_at_hand(self, piece: Piece) -> bool:
        """Whether other pieces can work with what a piece made."""
        if piece.outputs:
            return self.has(piece) or self.can_adopt(piece)
        return self._work(piece) is not None

    def adopt(self, piece: Piece) -> None:
        """Commit what was done before."""
        found = self._found(piece)
        assert found is not None
        root, names, entry = found
        self._commit(piece, {path: root / names[path] for path in piece.outputs.values()}, entry)

    def keep(
        self, piece: Piece, made: Made, *, seconds: float, software: Mapping[str, str]
    ) -> None:
        """Note that a piece is done, and commit its files.

        Raises
        ------
        OutputError
            If they cannot be written.
        """
        folder = self._bench.folder(piece)
        entry = {
            "digest": made.digest,
            "facts": dict(made.facts),
            "seconds": round(seconds, 3),
            "software": dict(software),
            "files": {name: file_sha256(folder / name) for name in piece.outputs},
        }
        atomic_write_json(folder / _DONE, entry)
        sources = {path: folder / name for name, path in piece.outputs.items()}
        self._commit(piece, sources, entry)

    def _commit(self, piece: Piece, sources: Mapping[str, Path], entry: Mapping[str, Any]) -> None:
        files = {}
        for path, source in sources.items():
            target = self._bench.results / path
            files[path] = file_sha256(source)
            if not _is_file(target, files[path]):
                make_folder(target.parent)
                with open(source, "rb") as stream, atomic_write(target) as copy:
                    shutil.copyfileobj(stream, copy)
        # What stood under these names before is there no more.
        self._entries = {
            address: old
            for address, old in self._entries.items()
            if not set(old["files"]) & set(files)
        }
        own: dict[str, Any] = {"stage": piece.stage, "label": piece.label, "files": files}
        own["order"] = list(piece.outputs.values())
        self._entries[piece.address] = {**entry, **own, "content": piece.content}
        make_folder(self._path.parent)
        content = {"format": _FORMAT, "version": _VERSION, "pieces": self._entries}
        atomic_write_json(self._path, content)

    def _work(self, piece: Piece) -> dict[str, Any] | None:
        """What the folder of a piece's work says, if it is done there and whole."""
        folder = self._bench.folder(piece)
        try:
            entry = json.loads((folder / _DONE).read_bytes())
            files = entry["files"]
            is_whole = all(file_sha256(folder / name) == files[name] for name in piece.outputs)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return dict(entry) if is_whole else None

    def _found(self, piece: Piece) -> tuple[Path, dict[str, str], dict[str, Any]] | None:
        """Where a piece was done: the folder, its files there by their names here, its entry."""
        if (entry := self._work(piece)) is not None:
            names = {path: name for name, path in piece.outputs.items()}
            return self._bench.folder(piece), names, entry
        for folder, entries in self._siblings.items():
            entry = entries.get(piece.address)
            if entry is None or len(entry["order"]) != len(piece.outputs):
                continue
            # The same content may have another name there, in the same order.
            theirs = dict(zip(piece.outputs.values(), entry["order"], strict=True))
            if all(_is_file(folder / path, entry["files"][path]) for path in theirs.values()):
                return folder, theirs, entry
        return None

    @cached_property
    def _siblings(self) -> dict[Path, dict[str, dict[str, Any]]]:
        """Ledgers of other studies and scales beside this one, by their folder."""
        paths = sorted(self._bench.results.parent.parent.glob(f"*/*/{LEDGER}"))
        return {path.parent: _entries(path) for path in paths if path != self._path}

    def _is_whole(self, piece: Piece, files: Mapping[str, str], root: Path) -> bool:
        return all(
            path in files and _is_file(root / path, files[path]) for path in piece.outputs.values()
        )


def study_facts(results: Path) -> dict[str, Mapping[str, Any]]:
    """Give what the pieces of a study that are done say of themselves, by address.

    Raises
    ------
    ResultsError
        If the ledger in the folder of its results is damaged.
    """
    return _facts(_entries(results / LEDGER))


def _facts(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {address: entry.get("facts", {}) for address, entry in entries.items()}


def _is_file(path: Path, sha256: str) -> bool:
    try:
        return file_sha256(path) == sha256
    except OSError:
        return False


def _entries(path: Path) -> dict[str, dict[str, Any]]:
    """Read a ledger.

    Raises
    ------
    ResultsError
        If it is damaged, or of another version.
    """
    try:
        content = json.loads(path.read_bytes())
        if content["format"] != _FORMAT or content["version"] != _VERSION:
            raise ResultsError(f"{path} is no ledger of a study that this milplib reads")
        pieces = content["pieces"]
        for entry in pieces.values():
            str(entry["digest"]), dict(entry["files"]), list(entry["order"])
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ResultsError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultsError(
            f"the ledger {path} is damaged ({error!r}): take it from the repository again"
        ) from error
    return dict(pieces)
