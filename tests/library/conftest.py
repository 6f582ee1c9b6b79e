"""Instances to serve, and a mirror that serves them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from milplib.generators import CombinatorialAuction

from .mirror_server import serving
from .mirrored import TEST, TRAIN, VAL


@pytest.fixture(scope="session")
def texts(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """LP files of six instances."""
    folder = tmp_path_factory.mktemp("texts")
    found = []
    for seed in range(6):
        path = folder / f"{seed}.lp"
        CombinatorialAuction(n_items=20, n_bids=60).generate(seed=seed).write(path)
        found.append(path.read_bytes())
    return found


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A mirror on loopback that the Hub's client asks, and a cache that is empty."""
    with serving() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("MILPLIB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
        yield server


@pytest.fixture
def no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint where nobody answers, and a cache that is empty."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("MILPLIB_CACHE", str(tmp_path / "cache"))


def csv_text(
    contents: list[bytes],
    *,
    as_repr: bool = True,
    columns: tuple[str, ...] = ("", "MILP", "format"),
    formats: str = "lp",
) -> str:
    """A file as the mirror has it."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(columns)
    for number, content in enumerate(contents):
        text = repr(content) if as_repr else content.decode()
        writer.writerow([number, text, formats][: len(columns)])
    return stream.getvalue()


@pytest.fixture
def served(mirror: Any, texts: list[bytes]) -> Any:
    """A mirror that has all splits of CA-medium."""
    mirror.put(TRAIN, csv_text(texts[:3]))
    mirror.put(VAL, csv_text(texts[3:4]))
    mirror.put(TEST, csv_text(texts[4:6], as_repr=False))
    return mirror
