"""Linear, boosted and extra-trees rankers of candidates, cheaper than the networks."""
