"""Strong-branching samples: recorded into Arrow shards, read back as branching states."""

from milplib.learn.samples.recorder import Label, NodePosition, TreeRecorder
from milplib.learn.samples.sample_set import (
    DamagedShard,
    DamagedShardWarning,
    Sample,
    SampleSet,
)
from milplib.learn.samples.schema import SAMPLE_VERSION, SampleSchema

__all__ = [
    "SAMPLE_VERSION",
    "DamagedShard",
    "DamagedShardWarning",
    "Label",
    "NodePosition",
    "Sample",
    "SampleSchema",
    "SampleSet",
    "TreeRecorder",
]
