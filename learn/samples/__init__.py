"""Strong-branching samples: recorded into Arrow shards, read back as branching states."""

from milplib.learn.samples.recorder import Label, NodePosition, TreeRecorder
from milplib.learn.samples.sample_set import Sample, SampleSet
from milplib.learn.samples.schema import SAMPLE_VERSION, SampleSchema

__all__ = [
    "SAMPLE_VERSION",
    "Label",
    "NodePosition",
    "Sample",
    "SampleSchema",
    "SampleSet",
    "TreeRecorder",
]
