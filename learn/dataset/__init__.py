"""Graphs of samples for training: conversion, caching, splitting and mixing."""

from milplib.learn.dataset.batch import BatchMemory, to_batch
from milplib.learn.dataset.graph import BranchingGraph, to_graph
from milplib.learn.dataset.graph_dataset import GraphDataset
from milplib.learn.dataset.mixture import MIXTURES, EpochBatches
from milplib.learn.dataset.split import HoldoutSplit, split_by_instance

__all__ = [
    "MIXTURES",
    "BatchMemory",
    "BranchingGraph",
    "EpochBatches",
    "GraphDataset",
    "HoldoutSplit",
    "split_by_instance",
    "to_batch",
    "to_graph",
]
