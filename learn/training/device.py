"""Device and precision of training."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import torch

from milplib.errors import ParameterError, UnknownNameError
from milplib.learn.names import Precision

__all__ = ["DEVICES", "PRECISIONS", "Compute", "cpu_threads"]

DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = tuple(Precision)


@dataclass(frozen=True)
class Compute:
    """Device, and precision of matrix products on it.

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
    precision: Precision = Precision.FLOAT32

    @classmethod
    def choose(cls, device: str = "auto", precision: str = Precision.FLOAT32) -> Compute:
        """Choose a device, and check that it is available; ``auto`` prefers CUDA.

        Raises
        ------
        ParameterError
            If CUDA is requested but not available.
        UnknownNameError
            If the device or the precision is unknown.
        """
        if precision not in PRECISIONS:
            raise UnknownNameError("precision", precision, PRECISIONS)
        backend, colon, number = device.partition(":")
        if backend not in DEVICES or (colon and not (backend == "cuda" and number.isdecimal())):
            raise UnknownNameError("device", device, DEVICES)
        available = torch.cuda.is_available()
        if backend == "cuda" and not available:
            reason = "finds no usable GPU" if torch.version.cuda else "is built for the CPU alone"
            raise ParameterError(
                f"the device '{device}' is not available: this torch ({torch.__version__}) "
                f"{reason}; use --device cpu, or install a build of torch for your GPU"
            )
        if colon and int(number) >= torch.cuda.device_count():
            raise ParameterError(
                f"the device '{device}' is not available: this machine has "
                f"{torch.cuda.device_count()} GPUs; number them from 0"
            )
        if backend == "auto":
            device = "cuda" if available else "cpu"
        return cls(torch.device(device), Precision(precision))

    @property
    def is_cuda(self) -> bool:
        """Whether the device is a GPU."""
        return self.device.type == "cuda"

    @contextmanager
    def repeatable(self) -> Iterator[None]:
        """Make computations deterministic on this kind of device inside the context.

        By default a GPU sums in the order in which its threads finish; a CPU is deterministic.
        """
        if not self.is_cuda:
            yield
            return
        # cuBLAS reads it on first use; without it torch refuses matrix products.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        before = torch.are_deterministic_algorithms_enabled()
        torch.use_deterministic_algorithms(True)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before)

    def autocast(self) -> AbstractContextManager[object]:
        """Return the context in which to compute the scores of a network."""
        if self.precision is Precision.FLOAT32:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)


@contextmanager
def cpu_threads(count: int) -> Iterator[None]:
    """Set the number of CPU threads of torch inside the context.

    Raises
    ------
    ParameterError
        If `count` is less than 1.
    """
    if count < 1:
        raise ParameterError(f"the number of threads is {count}; it must be at least 1")
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
