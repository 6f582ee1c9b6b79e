"""Cheap rivals of the network: linear, boosted and extra-trees rankers of candidates."""

from milplib.learn.rankers.train import RANKERS, RankerResult, train_ranker

__all__ = ["RANKERS", "RankerResult", "train_ranker"]
