"""``milplib status`` of a training: while it works, when it stopped, when it is complete."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from narrowing import present

from milplib.cli.status import status as status_command
from milplib.errors import ResultsError
from milplib.learn import SampleSet, TrainingResult, train
from milplib.learn.training.trainer import Trainer
from milplib.runs import run_status

SMALL: dict[str, Any] = {"hidden": 8, "batch_size": 4, "seed": 3}


@pytest.fixture(scope="module")
def samples(sample_sets: dict[str, SampleSet]) -> Path:
    return sample_sets["auction"].folder


@pytest.fixture(scope="module")
def trained(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    return train([samples], out=tmp_path_factory.mktemp("t") / "p.safetensors", epochs=3, **SMALL)


def test_a_complete_training_tells_epochs_and_best_validation(
    trained: TrainingResult, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = present(trained.folder)
    status = run_status(folder)
    assert (status.kind, status.state) == ("training", "complete")
    assert (status.done, status.total, status.results, status.failures) == (3, 3, 1, ())
    assert set(status.software) == {"milplib", "torch"}
    best = trained.history[present(trained.best_epoch) - 1]
    assert status.seconds == pytest.approx(sum(r.seconds for r in trained.history), abs=0.01)
    status_command(folder)
    printed = capsys.readouterr().out
    assert "3 of 3 epochs (100.0 %)" in printed
    line = next(line for line in printed.splitlines() if line.startswith("best validation"))
    loss, accuracy = best.validation["loss"], best.validation["accuracy_1"]
    assert line.split(maxsplit=2)[2] == (
        f"loss {loss:.3f}, accuracy@1 {accuracy:.3f} after epoch {trained.best_epoch}"
    )
    # The policy file stands for its folder.
    status_command(trained.policy)
    assert capsys.readouterr().out == printed
    status_command(folder, as_json=True)
    assert json.loads(capsys.readouterr().out)["notes"]["best validation"] == line.split("  ")[-1]


def test_an_interrupted_training_is_stopped_and_then_goes_on(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "p.safetensors"
    folder = tmp_path / "p.safetensors.training"
    epoch, seen = Trainer.epoch, []

    def watched(self: Trainer) -> Any:
        seen.append(run_status(folder))
        if len(seen) == 3:
            raise KeyboardInterrupt
        return epoch(self)

    monkeypatch.setattr(Trainer, "epoch", watched)
    with pytest.raises(KeyboardInterrupt):
        train([samples], out=out, epochs=5, **SMALL)
    assert [(status.state, status.done) for status in seen] == [("working", n) for n in range(3)]
    assert "process" in seen[-1].holder
    assert seen[0].remaining_seconds is None
    assert present(seen[-1].remaining_seconds) > 0
    stopped = run_status(folder)
    assert (stopped.state, stopped.done, stopped.total, stopped.results) == ("stopped", 2, 5, 0)
    assert "best validation" in stopped.notes
    monkeypatch.undo()
    train([samples], out=out, epochs=5, **SMALL)
    assert run_status(folder).state == "complete"


def test_early_stopping_is_told(samples: Path, tmp_path: Path) -> None:
    out = tmp_path / "p.safetensors"
    result = train(
        [samples], out=out, epochs=50, learning_rate=1e-9, patience=1, stop_after=2, **SMALL
    )
    status = run_status(present(result.folder))
    assert status.done == len(result.history) < status.total == 50
    assert status.state == "complete"
    assert "stopped early" in status.notes


def test_a_damaged_log_is_named(trained: TrainingResult, tmp_path: Path) -> None:
    folder = tmp_path / "p.safetensors.training"
    folder.mkdir()
    manifest = present(trained.folder) / "manifest.json"
    (folder / "manifest.json").write_bytes(manifest.read_bytes())
    assert run_status(folder).state == "stopped"
    (folder / "log.csv").write_text("epoch,seconds\n1,soon\n")
    with pytest.raises(ResultsError, match="is damaged"):
        run_status(folder)


def test_the_status_of_a_training_needs_no_torch(trained: TrainingResult) -> None:
    code = (
        "import sys; sys.modules['torch'] = None; from milplib.runs import run_status; "
        f"print(run_status({str(trained.folder)!r}).done)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("3\n", "")
