"""The notebooks run from top to bottom, on real results, and show what the report says."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient

from milplib.evaluation import Evaluation, evaluate
from milplib.generators import CombinatorialAuction

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
NOTEBOOKS = sorted(EXPERIMENTS.glob("*.ipynb"))
VERDICT = EXPERIMENTS / "verdict" / "results"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("evaluated")
    (folder / "ca").mkdir()
    CombinatorialAuction(n_items=30, n_bids=100).generate(seed=0).write(folder / "ca" / "a.lp")
    evaluate([folder / "ca"], policies=["pscost"], time_limit=60, out=folder / "results")
    return folder / "results"


@pytest.fixture(autouse=True)
def _jupyter_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the kernel from the user's settings and history."""
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "jupyter"))
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    monkeypatch.delenv("MILPLIB_RESULTS", raising=False)


def executed(path: Path, *more: Any) -> Any:
    """Run a notebook where it lies, and cells behind it; give what each code cell put out."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells += [nbformat.v4.new_code_cell(source) for source in more]
    client = NotebookClient(
        notebook,
        timeout=240,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    return [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]


def kinds(outputs: Any) -> Any:
    return {kind for output in outputs for kind in output.get("data", {})}


def check_against_summary(path: Path, folder: Path) -> None:
    """The notebook's table says what the summary says, and there is a figure."""
    *outputs, printed = executed(path, "print(table.to_csv(index=False))")
    assert not [output for cell in outputs for output in cell if output.output_type == "stream"]
    assert "image/png" in kinds(outputs[-1])
    assert "text/html" in kinds(outputs[-2])
    table = pd.read_csv(io.StringIO(printed[0]["text"]))
    rows = Evaluation.load(folder).summary().rows
    assert len(table) == len(rows) > 0
    for shown, row in zip(table.to_dict("records"), rows, strict=True):
        assert (shown["distribution"], shown["policy"]) == (row.distribution, row.policy)
        assert (shown["solved"], shown["runs"]) == (row.solved, row.runs)
        assert shown["time"] == pytest.approx(row.time, nan_ok=True)
        if row.against_baseline is None:
            assert pd.isna(shown["ratio"])
        else:
            assert shown["ratio"] == pytest.approx(row.against_baseline.time.value, nan_ok=True)
            assert shown["to"] == pytest.approx(row.against_baseline.time.high, nan_ok=True)


@pytest.mark.slow
def test_results_of_ones_own_are_read_from_the_folder_that_is_named(
    results: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILPLIB_RESULTS", str(results))
    check_against_summary(EXPERIMENTS / "read_results.ipynb", results)


@pytest.mark.slow
def test_the_committed_results_are_read_where_nothing_is_named() -> None:
    if not (VERDICT / "manifest.json").is_file():
        pytest.skip("there are no committed results in experiments/verdict/results")
    check_against_summary(EXPERIMENTS / "read_results.ipynb", VERDICT)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_committed_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


def test_table_and_figure_take_ten_lines() -> None:
    notebook = nbformat.read(EXPERIMENTS / "read_results.ipynb", as_version=4)
    lines = [
        line
        for cell in notebook.cells
        if cell.cell_type == "code"
        for line in cell.source.splitlines()
        if line.strip() and not line.startswith(("import ", "from ", "table.round"))
    ]
    assert len(lines) <= 10


def test_every_file_of_the_folder_stands_in_its_readme() -> None:
    text = (EXPERIMENTS / "README.md").read_text()
    names = {path.name for path in EXPERIMENTS.iterdir() if not path.name.startswith((".", "_"))}
    assert not [name for name in names - {"README.md"} if f"`{name}" not in text]
