"""Results of a measurement: one row per instance, classified by adjustable thresholds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NotRequired, TypedDict, cast

from milplib.display import Shown
from milplib.errors import ParameterError
from milplib.hardness.levels import LevelThresholds, level_of
from milplib.hardness.rows import HardnessRow
from milplib.hardness.summary import FolderSummary, summarise
from milplib.hardness.table import COLUMNS, TABLE, read_rows
from milplib.library.evaluated import InstanceEntry
from milplib.outcomes import SolveFailure, SolveStatus
from milplib.runs.manifest import ResultsManifest

__all__ = ["HardnessConfig", "HardnessManifest", "HardnessResults", "Judging"]


class JudgingConfig(TypedDict):
    """Criteria of `Judging` in a manifest."""

    thresholds: dict[str, float]
    expert_probability: NotRequired[float]
    samples_per_instance: NotRequired[int | None]


class _Criteria(TypedDict):
    thresholds: LevelThresholds
    expert_probability: NotRequired[float]
    samples_per_instance: NotRequired[int | None]


@dataclass(frozen=True, kw_only=True)
class Judging:
    """Criteria for classifying rows. Changing them needs no solve.

    Parameters
    ----------
    thresholds
        Thresholds between the levels.
    expert_probability
        Probability of asking the expert at a branching node, as in `milplib collect`.
    samples_per_instance
        Number of samples after which an episode stops; None for no limit.

    Raises
    ------
    ParameterError
        If a number is outside its domain.
    """

    thresholds: LevelThresholds
    expert_probability: float = 0.05
    samples_per_instance: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.expert_probability <= 1:
            raise ParameterError(
                f"the expert probability is {self.expert_probability}; it must be above 0 and at "
                "most 1"
            )
        if self.samples_per_instance is not None and self.samples_per_instance < 1:
            raise ParameterError(
                f"the number of samples per instance is {self.samples_per_instance}; it must be "
                "at least 1"
            )

    @classmethod
    def of(cls, config: HardnessConfig) -> Judging:
        """Read the criteria from a manifest's arguments."""
        judging = config["judging"]
        thresholds = LevelThresholds(**judging["thresholds"])
        criteria = cast(_Criteria, {**judging, "thresholds": thresholds})
        return cls(**criteria)

    def as_json(self) -> JudgingConfig:
        """Return the criteria as a manifest holds them."""
        return cast(JudgingConfig, asdict(self))

    def judged(self, row: Mapping[str, object]) -> HardnessRow:
        """Complete a row with its level and the expected number of samples of an episode."""
        columns = {
            name: row.get(name, "" if type_ is str else None)
            for name, (type_, _) in COLUMNS.items()
        }
        judged = cast(HardnessRow, columns)
        judged["level"] = self._level(judged)
        judged["expected_samples"] = self._samples(judged)
        return judged

    def _level(self, row: HardnessRow) -> str:
        # A killed process leaves no gap.
        stopped = (
            row["failure"] == SolveFailure.TIME_LIMIT and row["status"] == SolveStatus.TIME_LIMIT
        )
        time, limit = row["time"], row["time_limit"]
        if not row["solver"] or (row["failure"] and not stopped) or time is None or limit is None:
            return ""
        return level_of(
            solved=not stopped,
            time=time,
            gap=float("inf") if row["gap"] is None else row["gap"],
            time_limit=limit,
            thresholds=self.thresholds,
        )

    def _samples(self, row: HardnessRow) -> float | None:
        if row["branchings"] is None:
            return None
        expected = float(row["branchings"] * self.expert_probability)
        return min(expected, self.samples_per_instance or expected)


class SolveConfig(TypedDict, total=False):
    """Arguments of the solves of a measurement; empty without a solver."""

    solver: str
    time_limit: float
    seed: int


class HardnessConfig(SolveConfig):
    """Arguments of a measurement, with the checksums of the instances."""

    by: str
    instances: list[InstanceEntry]
    judging: JudgingConfig


class HardnessManifest(ResultsManifest[HardnessConfig]):
    """Manifest of a measurement: its arguments, and checksums of the instances."""

    noun = "measurement"
    format = "milplib-hardness"
    config_type = HardnessConfig

    @classmethod
    def check_config(cls, config: HardnessConfig) -> None:
        """Raise if an argument needed to read the results is missing."""
        str(config["by"]), Judging.of(config)

    def identity(self) -> object:
        """Return what the solves depend on: all arguments but the criteria, and the software."""
        solved = {name: value for name, value in self.config.items() if name != "judging"}
        return [solved, self.software]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class HardnessResults(Shown):
    """Results of a measurement.

    Parameters
    ----------
    rows
        One dict per instance. Keys are `milplib.hardness.COLUMNS`; unknown numbers are None.
    config, software
        Arguments, checksums and versions, as in ``manifest.json``.

    Examples
    --------
    >>> import tempfile
    >>> from milplib.generators import CombinatorialAuction
    >>> from milplib.hardness import measure
    >>> folder = tempfile.mkdtemp()
    >>> CombinatorialAuction(n_items=30, n_bids=100).generate(seed=0).write(folder + "/a.lp")
    >>> results = measure([folder], time_limit=60, out=folder + "/hardness")
    >>> HardnessResults.load(folder + "/hardness").rows == results.rows
    True
    """

    rows: tuple[HardnessRow, ...]
    config: HardnessConfig
    software: dict[str, str]

    @property
    def by(self) -> str:
        """Name and version of the solver that defines the levels; empty without a solve."""
        return str(self.config["by"])

    @property
    def judging(self) -> Judging:
        """Criteria that the rows are classified by."""
        return Judging.of(self.config)

    @property
    def unread(self) -> dict[str, str]:
        """Reason why an instance cannot be read, by instance."""
        unread = (row for row in self.rows if row["failure"] == SolveFailure.UNREADABLE)
        return {row["instance"]: row["failure_detail"] for row in unread}

    def summaries(self) -> tuple[FolderSummary, ...]:
        """Summarise the rows, folder by folder."""
        return summarise(self.rows)

    @classmethod
    def of(
        cls, manifest: ResultsManifest[HardnessConfig], rows: Iterable[Mapping[str, object]]
    ) -> HardnessResults:
        """Classify the rows of a measurement by the criteria in its manifest."""
        judging = Judging.of(manifest.config)
        judged = tuple(judging.judged(row) for row in rows)
        return cls(rows=judged, config=manifest.config, software=manifest.software)

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> HardnessResults:
        """Read a folder of results.

        Raises
        ------
        ResultsError
            If the folder holds no results, or damaged ones.
        """
        manifest = HardnessManifest.load(Path(folder))
        rows = read_rows(Path(folder) / TABLE)
        manifest.check_files(Path(folder), TABLE)
        return cls.of(manifest, rows)
