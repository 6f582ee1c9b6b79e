"""Exports for papers: figures as files, and the summary as CSV and as a LaTeX table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from milplib.arguments import checked
from milplib.errors import OutputError
from milplib.escaping import csv_lines
from milplib.evaluation.policy_summary import is_nan
from milplib.evaluation.summary import ALL
from milplib.evaluation.verdicts import verdict
from milplib.files import atomic_write
from milplib.report.page import check_results, report_plots
from milplib.report.text import number, p_value, ratio, signed_rank_of

if TYPE_CHECKING:
    from milplib.evaluation.results import Evaluation
    from milplib.evaluation.statistics import RatioEstimate
    from milplib.evaluation.summary import PolicySummary, Summary

__all__ = ["EXPORTS", "csv_text", "latex_escaped", "latex_table", "summary_rows", "write_exports"]

EXPORTS = ("summary.csv", "summary.tex", "figures")
"""Names of the files and folders that `write_exports` writes."""


@checked
def write_exports(results: Evaluation, folder: Path) -> tuple[Path, ...]:
    """Write the figures as PNG and PDF, and the summary as CSV and as a LaTeX table.

    Parameters
    ----------
    results
        Results to export, complete or not.
    folder
        Folder for ``summary.csv``, ``summary.tex`` and the subfolder ``figures``.

    Returns
    -------
    tuple of Path
        Paths of the written files.

    Raises
    ------
    OutputError
        If a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from milplib.evaluation import evaluate
    >>> from milplib.generators import CombinatorialAuction
    >>> place = tempfile.mkdtemp()
    >>> CombinatorialAuction(n_items=30, n_bids=100).generate(seed=0).write(place + "/a.lp")
    >>> results = evaluate([place], policies=["pscost"], time_limit=60, out=place + "/results")
    >>> [path.name for path in write_exports(results, Path(place, "results"))][:3]
    ['summary.csv', 'summary.tex', 'profiles.png']
    """
    check_results(results)
    folder = Path(folder)
    summary = results.summary()
    files = [folder / "summary.csv", folder / "summary.tex"]
    for path, text in zip(
        files, (csv_text(summary_rows(summary)), latex_table(summary)), strict=True
    ):
        with atomic_write(path) as stream:
            stream.write(text.encode())
    figures = folder / "figures"
    try:
        figures.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {figures}: {error.strerror}") from error
    for plot in report_plots(results, summary).values():
        files += [figures / name for name in plot.save(figures)]
    return tuple(files)


def summary_rows(summary: Summary) -> list[dict[str, object]]:
    """Flatten a summary to one row per policy and distribution; unknown values are None.

    Parameters
    ----------
    summary
        Summary of an evaluation.

    Returns
    -------
    list of dict
        Rows with equal names. They hold the values of `PolicySummary`; for ``time``, ``nodes``
        and ``fair_nodes`` the ratio to the baseline as ``…_ratio``, with its 95 % interval
        (``…_ratio_low``, ``…_ratio_high``) and ``…_ratio_instances``; and ``p_value`` and
        ``p_corrected`` of Wilcoxon's test of the times.
    """
    return summary.as_rows()


def csv_text(rows: Sequence[Mapping[str, object]], *, digits: int | None = None) -> str:
    """Return rows as the text of a CSV file; unknown and missing values are empty.

    Parameters
    ----------
    rows
        Rows as mappings. Every name in any row is a column, in order of appearance.
    digits
        Significant digits of floats. Default: as many as tell a float from every other.

    Examples
    --------
    >>> print(csv_text([{"a": 1, "b": 2 / 3}, {"a": None, "c": "x"}], digits=3))
    a,b,c
    1,0.667,
    ,,x
    <BLANKLINE>
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = ({name: _cell(value, digits) for name, value in row.items()} for row in rows)
    return csv_lines(names, cells)


def _cell(value: object, digits: int | None) -> object:
    if value is None or is_nan(value):
        return ""
    return f"{value:.{digits}g}" if isinstance(value, float) and digits else value


_SPECIAL: Mapping[int, str] = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "$": r"\$",
        "&": r"\&",
        "#": r"\#",
        "%": r"\%",
        "_": r"\_",
        "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        '"': r"\textquotedbl{}",
        "–": "--",
        "∞": r"$\infty$",
        "≥": r"$\geq$",
        "\n": " ",
    }
)


def latex_escaped(text: str) -> str:
    r"""Escape a text for LaTeX.

    Examples
    --------
    >>> latex_escaped(r"50 % of {a_b} & \end")
    '50 \\% of \\{a\\_b\\} \\& \\textbackslash{}end'
    """
    return text.translate(_SPECIAL)


def latex_table(summary: Summary) -> str:
    r"""Format a summary as a LaTeX table for ``\input``; it requires the package ``booktabs``.

    Parameters
    ----------
    summary
        Summary of an evaluation.

    Returns
    -------
    str
        A ``tabular`` with a block per distribution. A ratio is bold if its whole interval is
        below 1.
    """
    headings = ("policy", "solved", "time (s)", "time ratio", "$p$", "nodes", "node ratio", "wins")
    lines = [
        "% Needs \\usepackage[T1]{fontenc} and \\usepackage{booktabs}.",
        f"% Ratios to {' '.join(summary.baseline.split())}, below 1 is better, with 95 %"
        " intervals; p: Wilcoxon, corrected by Holm's method.",
        "\\begin{tabular}{l" + "r" * (len(headings) - 1) + "}",
        "\\toprule",
        " & ".join(headings) + r" \\",
    ]
    if not summary.is_complete:
        lines.insert(2, f"% Not finished: {summary.runs} of {summary.expected_runs} runs.")
    for name in summary.distributions:
        lines.append("\\midrule")
        if len(summary.distributions) > 1:
            title = latex_escaped("all instances" if name == ALL else name)
            title += f" ({summary.instances[name]})"
            lines.append(rf"\multicolumn{{{len(headings)}}}{{l}}{{\itshape {title}}} \\")
        lines += [_latex_row(summary, row) for row in summary.rows_of(name)]
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}", ""])


def _latex_row(summary: Summary, row: PolicySummary) -> str:
    compared = row.against_baseline
    test = signed_rank_of(summary, row.policy, row.distribution)
    cells = [
        latex_escaped(row.policy),
        f"{row.solved}/{row.runs}",
        latex_escaped(number(row.time)),
        _latex_ratio(compared.time) if compared else "1",
        latex_escaped(p_value(test.corrected)) if test else "--",
        latex_escaped(number(row.nodes)),
        _latex_ratio(compared.nodes) if compared else "1",
        str(row.wins),
    ]
    return " & ".join(cells) + r" \\"


def _latex_ratio(estimate: RatioEstimate) -> str:
    value = latex_escaped(ratio(estimate.value))
    if verdict(estimate).side == "better":
        value = rf"\textbf{{{value}}}"
    if not estimate.has_interval:
        return value
    low, high = (latex_escaped(ratio(end)) for end in (estimate.low, estimate.high))
    return f"{value} ({low}--{high})"
