"""Collecting strong-branching samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milplib.lazy_names import lazy_names

if TYPE_CHECKING:
    from milplib.learn.collecting.collection import collect
    from milplib.learn.collecting.episode import Episode, EpisodeParameters, run_episode
    from milplib.learn.collecting.run_folder import Progress

__all__ = ["Episode", "EpisodeParameters", "Progress", "collect", "run_episode"]

# Imported on first use: `milplib status` reads a collection without the code that collects.
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Episode": "milplib.learn.collecting.episode",
        "EpisodeParameters": "milplib.learn.collecting.episode",
        "Progress": "milplib.learn.collecting.run_folder",
        "collect": "milplib.learn.collecting.collection",
        "run_episode": "milplib.learn.collecting.episode",
    },
)
