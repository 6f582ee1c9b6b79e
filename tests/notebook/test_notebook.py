"""The notebook of the documentation runs, and what it shows is short."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from milplib.display import LONGEST

PATH = Path(__file__).parents[2] / "docs" / "notebook.ipynb"


@pytest.fixture(autouse=True)
def _jupyter_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the kernel from the user's settings and history."""
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "jupyter"))
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    # tqdm, which torch's packages import, asks for ipywidgets, which milplib does not need.
    monkeypatch.setenv("PYTHONWARNINGS", "ignore:IProgress not found")


def test_the_notebook_is_committed_without_outputs() -> None:
    notebook: Any = nbformat.read(PATH, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


@pytest.mark.slow
def test_the_notebook_runs_and_shows_short_texts_tables_figures_and_a_page(tmp_path: Path) -> None:
    notebook: Any = nbformat.read(PATH, as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    outputs = [output for cell in cells for output in cell.outputs]
    assert {output.output_type for output in outputs} <= {"display_data", "execute_result"}
    shown = [output.data for output in outputs]
    pages = [data for data in shown if "<iframe" in data.get("text/html", "")]
    assert len(pages) == 1
    assert all(len(data["text/plain"]) <= LONGEST for data in shown)
    assert all(len(d.get("text/html", "")) < 2000 for d in shown if d not in pages)
    assert any("image/png" in data for data in shown)
    texts = " ".join(data["text/plain"] for data in shown)
    for name in ("Distribution", "Instance", "SolveResult", "BranchingState", "Portfolio"):
        assert f"<{name} " in texts
    for name in ("SampleSet", "LinearPolicy", "Evaluation", "ReportPage"):
        assert f"<{name} " in texts
    bars = [data["text/html"] for data in shown if "<progress" in data.get("text/html", "")]
    assert [bar.split("</progress> ")[1].split(",")[0] for bar in bars] == [
        "collecting: 6 of 6",
        "training: 1 of 1",
        "evaluating: 12 of 12",
    ]
