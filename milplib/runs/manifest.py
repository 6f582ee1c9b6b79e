"""Folder of results and its manifest: arguments and software."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Generic, Self, TypeVar, cast

from milplib.display import Shown
from milplib.errors import ParameterError, ResultsError
from milplib.files import atomic_write_json, file_sha256, json_equal
from milplib.parsing import read_json
from milplib.runs.folder import MANIFEST, TaskFolder
from milplib.schema import conforming

__all__ = ["ResultsFolder", "ResultsManifest"]

Config = TypeVar("Config", bound=Mapping[str, object])
"""Arguments of a kind of results: a `TypedDict`."""


@dataclass(frozen=True, kw_only=True, repr=False)
class ResultsManifest(Shown, Generic[Config]):
    """Manifest of a job that makes results: its arguments and software.

    A subclass is a kind of results. It names the format and checks the arguments.

    Parameters
    ----------
    config
        Arguments, with the checksums of the files they name.
    software
        Versions of the software that the results depend on.
    files
        SHA-256 of the result files by name; empty while the job is in progress.
    """

    noun: ClassVar[str]
    """Noun for the job in messages, such as ``"evaluation"``."""
    format: ClassVar[str]
    """Name of the format in the file."""
    version: ClassVar[int] = 1
    """Version of the format that this milplib writes and reads."""
    config_type: ClassVar[type] = dict
    """The `TypedDict` of the arguments, which every manifest is checked against."""

    config: Config
    software: dict[str, str]
    files: dict[str, str] = field(default_factory=dict)

    @classmethod
    def check_config(cls, config: Config) -> None:
        """Raise a KeyError, TypeError or ValueError if arguments are missing or wrong."""

    def identity(self) -> object:
        """Return the arguments and software, which are equal for manifests of the same job."""
        return [self.config, self.software]

    def write(self, folder: Path) -> None:
        """Write the manifest into a folder, atomically."""
        atomic_write_json(folder / MANIFEST, self.as_json())

    def as_json(self) -> dict[str, object]:
        """Return the content of the file as JSON values."""
        content = {"config": self.config, "software": self.software, "files": self.files}
        return {"format": self.format, "version": self.version, **content}

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the manifest of a folder.

        Raises
        ------
        ResultsError
            If the manifest is missing, damaged, of another kind or of another version.
        """
        path = folder / MANIFEST
        try:
            content = read_json(path)
        except (FileNotFoundError, NotADirectoryError):
            problem = "is not a folder of results" if folder.is_dir() else "does not exist"
            raise ResultsError(f"{folder} {problem}: it has no {MANIFEST}") from None
        except OSError as error:
            raise ResultsError(f"cannot read {path}: {error.strerror or error}") from error
        except ValueError as error:
            raise ResultsError(f"{path} is damaged: {error}") from error
        if not isinstance(content, dict) or content.get("format") != cls.format:
            raise ResultsError(f"{path} is not a manifest of a milplib {cls.noun}")
        if content.get("version") != cls.version:
            raise ResultsError(
                f"{path} has version {content.get('version')}; this milplib reads {cls.version}"
            )
        try:
            config = cast(Config, conforming(content["config"], cls.config_type, name="config"))
            software, files = (
                conforming(content[name], dict[str, str], name=name)
                for name in ("software", "files")
            )
            cls.check_config(config)
        except (KeyError, TypeError, ValueError, ParameterError) as error:
            why = f"it has no {error}" if isinstance(error, KeyError) else error
            raise ResultsError(f"{path} is damaged: {why}") from error
        return cls(config=config, software=software, files=files)

    def check_files(self, folder: Path, *names: str) -> None:
        """Compare result files with the checksums in the manifest.

        Raises
        ------
        ResultsError
            If the manifest does not list a file, or the file is missing or has another checksum.
        """
        for name in names:
            path = folder / name
            if name not in self.files:
                raise ResultsError(
                    f"{folder / MANIFEST} is damaged: it does not list {name}, or was written "
                    "before the results were complete"
                )
            try:
                is_same = file_sha256(path) == self.files[name]
            except OSError as error:
                raise ResultsError(f"cannot read {path}: {error.strerror or error}") from error
            if not is_same:
                raise ResultsError(
                    f"{path} is damaged: its SHA-256 is not the one in {MANIFEST}; restore it "
                    f"from a copy, or make the results again"
                )

    @classmethod
    def is_one(cls, folder: Path) -> bool:
        """Whether a folder has a manifest of this kind, in any version."""
        try:
            content = read_json(folder / MANIFEST)
        except (OSError, ValueError):
            return False
        return isinstance(content, dict) and content.get("format") == cls.format

    def is_same_job(self, other: Self) -> bool:
        """Whether two jobs have equal arguments and software."""
        return json_equal(self.identity(), other.identity())


class ResultsFolder(TaskFolder, Generic[Config]):
    """Folder of a job whose manifest is a `ResultsManifest`.

    Parameters
    ----------
    folder
        Folder of the job.
    manifest
        Manifest of the job.
    """

    def __init__(self, folder: Path, manifest: ResultsManifest[Config]) -> None:
        super().__init__(folder)
        self._manifest = manifest

    def has_manifest(self, folder: Path) -> bool:
        """Whether a folder has the manifest of a job of this kind, in any version."""
        return self._manifest.is_one(folder)

    def is_same_job(self, folder: Path) -> bool:
        """Whether a folder's manifest belongs to this job."""
        try:
            return self._manifest.is_same_job(self._manifest.load(folder))
        except ResultsError:
            return False

    def write_manifest(self, folder: Path) -> None:
        """Write the manifest without results."""
        self._manifest.write(folder)

    def manifest_content(self) -> dict[str, object]:
        """Return the content of this job's manifest as JSON values."""
        return self._manifest.as_json()

    @classmethod
    def format_versions(cls, content: Mapping[str, object]) -> dict[str, object]:
        """Return the format version named in a manifest."""
        return {"format": content.get("version")}
