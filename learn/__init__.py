"""From samples to policies: collecting traces, the data set, models, training."""

from milplib.learn.collect import collect
from milplib.learn.samples import Sample, SampleSet

__all__ = ["Sample", "SampleSet", "collect"]
