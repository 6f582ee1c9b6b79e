"""Collecting strong-branching samples."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from milplib.learn.collecting.collection import collect
    from milplib.learn.collecting.episode import Episode, EpisodeParameters, run_episode
    from milplib.learn.collecting.run_folder import Progress

__all__ = ["Episode", "EpisodeParameters", "Progress", "collect", "run_episode"]

# Imported on first use: `milplib status` reads a collection without the code that collects.
_HOMES = {
    "Episode": "episode",
    "EpisodeParameters": "episode",
    "Progress": "run_folder",
    "collect": "collection",
    "run_episode": "episode",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
