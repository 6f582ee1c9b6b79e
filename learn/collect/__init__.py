"""Collecting strong-branching samples."""

from milplib.learn.collect.collection import Progress, collect
from milplib.learn.collect.episode import Episode, EpisodeParameters, run_episode

__all__ = ["Episode", "EpisodeParameters", "Progress", "collect", "run_episode"]
