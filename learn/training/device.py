"""Where training computes, and how precisely."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import torch

from milplib.errors import ParameterError, UnknownNameError

__all__ = ["DEVICES", "PRECISIONS", "Compute", "cpu_threads"]

DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Compute:
    """A device, and the precision of matrix products on it.

    Parameters
    ----------
    device
        ``cpu``, ``cuda`` or ``cuda:1`` and so on.
    precision
        One of `PRECISIONS`; ``bfloat16`` is automatic mixed precision.

    Examples
    --------
    >>> Compute.choose("cpu").device.type
    'cpu'
    """

    device: torch.device
    precision: str = "float32"

    @classmethod
    def choose(cls, device: str = "auto", precision: str = "float32") -> Compute:
        """Take CUDA where it is, with ``auto``; check that what is asked for is there.

        Raises
        ------
        ParameterError
            If CUDA is asked for and not there.
        UnknownNameError
            If the device or the precision is unknown.
        """
        if precision not in PRECISIONS:
            raise UnknownNameError("precision", precision, PRECISIONS)
        kind, colon, number = device.partition(":")
        if kind not in DEVICES or (colon and not (kind == "cuda" and number.isdecimal())):
            raise UnknownNameError("device", device, DEVICES)
        available = torch.cuda.is_available()
        if kind == "cuda" and not available:
            reason = "finds no usable GPU" if torch.version.cuda else "is built for the CPU alone"
            raise ParameterError(
                f"the device '{device}' was asked for, but this torch ({torch.__version__}) "
                f"{reason}: use --device cpu, or install a build of torch for your GPU"
            )
        if colon and int(number) >= torch.cuda.device_count():
            raise ParameterError(
                f"the device '{device}' was asked for, but there are only "
                f"{torch.cuda.device_count()} GPUs, numbered from 0"
            )
        if kind == "auto":
            device = "cuda" if available else "cpu"
        return cls(torch.device(device), precision)

    @property
    def is_cuda(self) -> bool:
        """Whether it is a GPU."""
        return self.device.type == "cuda"

    @contextmanager
    def repeatable(self) -> Iterator[None]:
        """Let equal arguments give equal bytes meanwhile, on this kind of device.

        A GPU adds up in whatever order its threads come, unless it is told otherwise; a CPU needs
        no telling.
        """
        if not self.is_cuda:
            yield
            return
        # Read by cuBLAS when it is first used; without it torch refuses its matrix products.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        before = torch.are_deterministic_algorithms_enabled()
        torch.use_deterministic_algorithms(True)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before)

    def autocast(self) -> AbstractContextManager[object]:
        """Context in which a network and its loss are computed."""
        if self.precision == "float32":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)


@contextmanager
def cpu_threads(count: int) -> Iterator[None]:
    """Compute on so many threads of the CPU meanwhile.

    Raises
    ------
    ParameterError
        If there are none.
    """
    if count < 1:
        raise ParameterError(f"the number of threads is {count}; it must be at least 1")
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
