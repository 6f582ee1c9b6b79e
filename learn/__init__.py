"""From samples to policies: collecting traces, the data set, models, training."""
