"""Cheap rivals of the network: linear, boosted and extra-trees rankers of candidates."""
