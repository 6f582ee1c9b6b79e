"""The folder of a training and its checkpoint: how milplib reads them, and what they say."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from mutations.readers import parsed_json
from safetensors.torch import load

from milplib.learn.training.folder import TrainingFolder
from milplib.learn.training.state import TrainingState
from milplib.learn.training.task import EpochRecord
from milplib.runs import run_status


def _state() -> TrainingState:
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2)
    return TrainingState(model=model, optimizer=torch.optim.Adam(model.parameters(), lr=0.01))


def _begun() -> TrainingState:
    """A state after two epochs of one step."""
    state = _state()
    for epoch in (1, 2):
        state.optimizer.zero_grad()
        state.model(torch.ones(1, 3)).sum().backward()
        state.optimizer.step()
        validation = {"loss": 1.5 / epoch, "accuracy_1": 0.5, "accuracy_5": 1.0, "accuracy_10": 1.0}
        state.history.append(
            EpochRecord(
                epoch=epoch,
                learning_rate=0.01,
                training_loss=2.0 / epoch,
                validation=validation,
                seconds=0.5,
            )
        )
    state.best = {name: tensor.clone() for name, tensor in state.model.state_dict().items()}
    state.best_loss = 0.75
    return state


_JOB = {"parameters": {"epochs": 3}, "milplib": "1", "torch": "2"}


def write_training(folder: Path) -> None:
    place = folder / "p.safetensors.training"
    made = TrainingFolder(folder / "p.safetensors", _JOB)
    with made.claim(force=False):
        made.commit(_begun())
    for path in place.iterdir():
        path.rename(folder / path.name)


def read_training(folder: Path, name: str) -> Any:
    status = run_status(folder)
    return status.done, status.total, status.software, sorted(status.notes)


def said_by_training(folder: Path, name: str) -> Any:
    text = (folder / "log.csv").read_bytes().decode("utf-8-sig")
    lines = [line for line in csv.DictReader(io.StringIO(text, newline="")) if line]
    manifest = parsed_json(folder, "manifest.json")
    notes = ["best validation", "last validation"] if lines else []
    return len(lines), manifest["config"]["epochs"], manifest["software"], notes


def write_checkpoint(folder: Path) -> None:
    _begun().save(folder / "checkpoint.safetensors", job=_JOB)


def read_checkpoint(folder: Path, name: str) -> Any:
    state = _state()
    state.load(folder / name)
    # It must be of use: the next step neither fails nor takes another shape.
    tensors = {key: tensor.numpy().tobytes() for key, tensor in state.model.state_dict().items()}
    state.model(torch.ones(1, 3)).sum().backward()
    state.optimizer.step()
    state.model.load_state_dict(state.best)
    history = json.loads(json.dumps([asdict(record) for record in state.history]))
    return tensors, history, state.best_loss, state.waiting


def said_by_checkpoint(folder: Path, name: str) -> Any:
    data = (folder / name).read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["milplib"])
    tensors = {key: tensor.numpy().tobytes() for key, tensor in load(data).items()}
    model = {key: tensors[f"model.{key}"] for key in ("weight", "bias")}
    return model, header["history"], header["best_loss"], header["waiting"]
