"""State of a training between two epochs, saved in one file to resume from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypedDict

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from milplib.errors import OutputError
from milplib.files import atomic_write
from milplib.learn.training.task import EpochRecord
from milplib.parsing import open_regular, parse_json
from milplib.schema import built, conforming

__all__ = ["TrainingState"]

_METADATA_KEY = "milplib"
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


class _Header(TypedDict):
    job: object
    learning_rate: float
    history: list[object]
    best_loss: float
    waiting: int


@dataclass(eq=False)
class TrainingState:
    """Network in training, with everything that the next epoch depends on.

    The state of a random generator is not needed: batches follow from the seed and the epoch.

    Parameters
    ----------
    model, optimizer
        The network, with fixed norms, and its Adam optimizer.
    best
        Tensors of the network after the best epoch so far.
    history
        Records of the epochs done.
    best_loss, waiting
        Best validation loss so far, and number of epochs since.
    """

    model: nn.Module
    optimizer: torch.optim.Adam
    best: dict[str, torch.Tensor] = field(default_factory=dict)
    history: list[EpochRecord] = field(default_factory=list)
    best_loss: float = float("inf")
    waiting: int = 0

    @property
    def learning_rate(self) -> float:
        """Current learning rate of Adam."""
        return float(self.optimizer.param_groups[0]["lr"])

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = value

    def save(self, path: Path, *, job: Mapping[str, object]) -> None:
        """Write the state and its job, atomically."""
        tensors = {f"model.{name}": t for name, t in self.model.state_dict().items()}
        tensors |= {f"best.{name}": t for name, t in self.best.items()}
        for name, parameter in self.model.named_parameters():
            if moments := self.optimizer.state.get(parameter):  # missing before the first gradient
                tensors |= {f"{key}.{name}": moments[key] for key in _MOMENTS}
        header = {
            "job": job,
            "learning_rate": self.learning_rate,
            "history": [asdict(record) for record in self.history],
            "best_loss": self.best_loss,
            "waiting": self.waiting,
        }
        # Cloned, because safetensors refuses tensors that share memory.
        tensors = {name: t.detach().cpu().clone() for name, t in tensors.items()}
        with atomic_write(path) as stream:
            stream.write(save(tensors, metadata={_METADATA_KEY: json.dumps(header)}))

    def load(self, path: Path) -> None:
        """Load a state that `save` wrote for the same job.

        Raises
        ------
        OutputError
            If the file is damaged.
        """
        try:
            open_regular(path).close()
            with safe_open(path, framework="pt") as content:
                metadata = content.metadata() or {}
                header = conforming(parse_json(metadata[_METADATA_KEY]), _Header)
                names = set(content.keys())
                tensors = {name: content.get_tensor(name) for name in names}
            self._check_tensors(tensors)
            self.model.load_state_dict(_below(tensors, "model."))
            self.best = _below(tensors, "best.")
            moments = {key: _below(tensors, f"{key}.") for key in _MOMENTS}
            state = {
                place: {key: moments[key][name] for key in _MOMENTS}
                for place, (name, _) in enumerate(self.model.named_parameters())
                if name in moments["step"]
            }
            groups = self.optimizer.state_dict()["param_groups"]
            self.optimizer.load_state_dict({"state": state, "param_groups": groups})
            self.learning_rate = header["learning_rate"]
            self.history = [built(record, EpochRecord) for record in header["history"]]
            self.best_loss, self.waiting = header["best_loss"], header["waiting"]
        except (OSError, SafetensorError, RuntimeError, KeyError, TypeError, ValueError) as error:
            raise OutputError(
                f"{path} is damaged and the training cannot resume: start again with --force"
            ) from error

    def _check_tensors(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Check that all tensors belong to the network, with its shapes and types."""
        expected = {"model.": self.model.state_dict(), "best.": self.model.state_dict()}
        expected |= {f"{key}.": dict(self.model.named_parameters()) for key in _MOMENTS}
        for name, tensor in tensors.items():
            prefix = f"{name.partition('.')[0]}."
            own = expected[prefix][name.removeprefix(prefix)]
            shape = torch.Size([]) if prefix == "step." else own.shape
            kind = torch.float32 if prefix == "step." else own.dtype
            if tensor.shape != shape or tensor.dtype != kind:
                raise ValueError(f"the tensor {name} has another shape or type")

    @staticmethod
    def job_of(path: Path) -> Any:
        """Return the job of a file that `save` wrote; None if the file is missing or damaged."""
        try:
            open_regular(path).close()
            with safe_open(path, framework="pt") as content:
                return parse_json((content.metadata() or {})[_METADATA_KEY])["job"]
        except (OSError, SafetensorError, KeyError, TypeError, ValueError):
            return None


def _below(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
