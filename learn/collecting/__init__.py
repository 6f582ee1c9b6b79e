"""Collecting strong-branching samples."""

from milplib.learn.collecting.collection import collect
from milplib.learn.collecting.episode import Episode, EpisodeParameters, run_episode
from milplib.learn.collecting.run_folder import Progress

__all__ = ["Episode", "EpisodeParameters", "Progress", "collect", "run_episode"]
