"""Results of an evaluation: table of runs, policies, traces, and completeness."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from milplib.arguments import checked
from milplib.display import Shown
from milplib.errors import ResultsError
from milplib.evaluation.config import EvaluationConfig
from milplib.evaluation.integrals import run_integrals
from milplib.evaluation.paired import PairedRuns
from milplib.evaluation.rows import RunRow, TaskFile
from milplib.evaluation.summary import Summary, summarise
from milplib.evaluation.table import TABLES, check_table, read_table, run_table
from milplib.evaluation.traces import TRACES, read_traces, trace_table
from milplib.evaluation.views import EvaluationPlots, ReportPage, report_page
from milplib.parsing import read_json
from milplib.runs.folder import UNFINISHED
from milplib.runs.manifest import ResultsManifest
from milplib.schema import conforming

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Evaluation", "EvaluationManifest"]


_RUNS = TABLES[0]


class EvaluationManifest(ResultsManifest[EvaluationConfig]):
    """Manifest of an evaluation: arguments, and checksums of instances and policies."""

    noun = "evaluation"
    format = "milplib-evaluation"
    config_type = EvaluationConfig

    @classmethod
    def check_config(cls, config: EvaluationConfig) -> None:
        """Raise if an argument needed to read the results is missing."""
        _labels(config), _expected_tasks(config), str(config["baseline"])
        float(config["time_limit"])


def _labels(config: EvaluationConfig) -> tuple[str, ...]:
    return tuple(str(policy["label"]) for policy in config["policies"])


def _expected_tasks(config: EvaluationConfig) -> int:
    return len(config["instances"]) * len(config["seeds"])


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Evaluation(Shown):
    """Results of an evaluation.

    Parameters
    ----------
    table
        Table with one row per run; the columns are `milplib.evaluation.COLUMNS`.
    policies
        Names of the policies, in the order of the arguments.
    baseline
        Name of the policy that the others are compared with.
    config, software
        Arguments, checksums and versions, as in ``manifest.json``.
    expected_runs
        Number of runs of the complete evaluation.
    traces
        Bounds of the runs over time; the columns are
        `milplib.evaluation.traces.TRACE_COLUMNS`. None if there are no traces.

    Examples
    --------
    >>> import tempfile
    >>> from milplib.evaluation import evaluate
    >>> from milplib.generators import CombinatorialAuction
    >>> folder = tempfile.mkdtemp()
    >>> CombinatorialAuction(n_items=30, n_bids=100).generate(seed=0).write(folder + "/a.lp")
    >>> results = evaluate([folder], policies=["pscost"], time_limit=60, out=folder + "/results")
    >>> results.table.column("policy").to_pylist(), results.is_complete
    (['pscost', 'relpscost'], True)
    >>> again = Evaluation.load(folder + "/results")
    >>> again.table.equals(results.table)
    True
    """

    table: pa.Table
    policies: tuple[str, ...]
    baseline: str
    config: EvaluationConfig
    software: dict[str, str]
    expected_runs: int
    traces: pa.Table | None = None

    @property
    def is_complete(self) -> bool:
        """Whether the table has all expected runs."""
        return len(self.table) >= self.expected_runs

    @cached_property
    def runs(self) -> PairedRuns:
        """Runs as arrays, paired by instance and seed."""
        integrals = run_integrals(self.table, self.traces)
        return PairedRuns.of(self.table, self.policies, integrals=integrals)

    def to_pandas(self) -> pd.DataFrame:
        """Return the table as a pandas data frame."""
        return self.table.to_pandas()

    def _facts(self) -> dict[str, object]:
        return {
            "policies": self.policies,
            "baseline": self.baseline,
            "instances": len(self.config["instances"]),
            "seeds": len(self.config["seeds"]),
            "runs": f"{len(self.table)} of {self.expected_runs}",
            "setting": self.config.get("setting"),
            "time_limit": self.config.get("time_limit"),
        }

    def _repr_html_(self) -> str:
        if not len(self.table):
            return Shown._repr_html_(self)
        return self.summary()._repr_html_()

    @property
    def plot(self) -> EvaluationPlots:
        """Figures of the report, each a method that returns matplotlib axes.

        Examples
        --------
        >>> import tempfile
        >>> from milplib.evaluation import evaluate
        >>> from milplib.generators import CombinatorialAuction
        >>> auction = CombinatorialAuction(n_items=30, n_bids=100).generate(seed=0)
        >>> out = tempfile.mkdtemp() + "/results"
        >>> results = evaluate(auction, policies=["pscost"], time_limit=60, out=out)
        >>> results.plot.profiles().get_ylabel()
        'share of the pairs'
        """
        return EvaluationPlots(self)

    def report(self) -> ReportPage:
        """Make the HTML report, which a notebook displays inline.

        Returns
        -------
        ReportPage
            The page; its ``write(path)`` saves it.

        Examples
        --------
        >>> import tempfile
        >>> from milplib.evaluation import evaluate
        >>> from milplib.generators import CombinatorialAuction
        >>> auction = CombinatorialAuction(n_items=30, n_bids=100).generate(seed=0)
        >>> out = tempfile.mkdtemp() + "/results"
        >>> page = evaluate(auction, policies=["pscost"], time_limit=60, out=out).report()
        >>> page.html[:15]
        '<!DOCTYPE html>'
        """
        return report_page(self)

    def summary(self) -> Summary:
        """Summarise the results; see `milplib.evaluation.Summary`."""
        return self._summary

    @cached_property
    def _summary(self) -> Summary:
        return summarise(
            self.table,
            self.runs,
            policies=self.policies,
            baseline=self.baseline,
            expected_runs=self.expected_runs,
        )

    @classmethod
    def of(
        cls,
        manifest: ResultsManifest[EvaluationConfig],
        table: pa.Table,
        *,
        traces: pa.Table | None = None,
    ) -> Evaluation:
        """Combine a manifest, a table and traces.

        Raises
        ------
        ResultsError
            If the table has policies that the manifest does not name.
        """
        labels = _labels(manifest.config)
        policies = set(table.column("policy").to_pylist())
        if strangers := sorted(policies - set(labels)):
            raise ResultsError(
                f"the table has runs of '{strangers[0]}', which the manifest does not name"
            )
        return cls(
            table=table,
            policies=labels,
            baseline=str(manifest.config["baseline"]),
            config=manifest.config,
            software=manifest.software,
            expected_runs=_expected_tasks(manifest.config) * len(labels),
            traces=traces,
        )

    @classmethod
    @checked
    def load(cls, folder: str | os.PathLike[str]) -> Evaluation:
        """Read a folder of results; an unfinished evaluation yields its finished runs.

        Raises
        ------
        ResultsError
            If the folder holds no results, or damaged ones.
        """
        root = Path(folder)
        if not EvaluationManifest.is_one(root) and EvaluationManifest.is_one(root / UNFINISHED):
            return cls._load_unfinished(root / UNFINISHED)
        manifest = EvaluationManifest.load(root)
        traces = read_traces(root / TRACES) if TRACES in manifest.files else None
        table = read_table(root / _RUNS)
        manifest.check_files(root, _RUNS, *([] if traces is None else [TRACES]))
        return cls.of(manifest, table, traces=traces)

    @classmethod
    def _load_unfinished(cls, folder: Path) -> Evaluation:
        manifest = EvaluationManifest.load(folder)
        rows: list[RunRow] = []
        for number in range(_expected_tasks(manifest.config)):
            try:
                content = read_json(folder / f"{number:06d}.json")
                rows += conforming(content, TaskFile)["rows"]
            except (OSError, ValueError):
                continue
        table = check_table(run_table(rows), where=str(folder))
        return cls.of(manifest, table, traces=trace_table(rows))
