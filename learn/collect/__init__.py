"""Collecting strong-branching samples."""

from milplib.learn.collect.collection import collect
from milplib.learn.collect.episode import Episode, EpisodeParameters, run_episode
from milplib.learn.collect.run_folder import Progress

__all__ = ["Episode", "EpisodeParameters", "Progress", "collect", "run_episode"]
