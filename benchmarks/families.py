"""Instance families of the benchmarks."""

from __future__ import annotations

from dataclasses import dataclass

import pyscipopt
from pyscipopt import SCIP_PARAMSETTING

from milplib.generators import CombinatorialAuction, SetCover
from milplib.library import InstanceGenerator
from milplib.scip import apply_setting


@dataclass(frozen=True, kw_only=True)
class Family:
    """A family of instances, and the amount of measurements on it.

    Parameters
    ----------
    name, generator
        Name and generator of the family.
    instances, samples
        Number of instances to collect from, and of samples of each.
    epochs
        Training epochs of the policy whose share of a solve is measured; 0 for no policy.
    """

    name: str
    generator: InstanceGenerator
    instances: int
    samples: int
    epochs: int = 0

    def model(self, seed: int, *, smoke: bool) -> pyscipopt.Model:
        """Return an instance as a model that branches."""
        model = self.generator.generate(seed).to_scip()
        model.hideOutput()
        apply_setting(model, "learn2branch", seed=seed)
        if smoke:  # SCIP solves tiny instances without branching otherwise
            model.setParam("presolving/maxrounds", 0)
            model.setParam("separating/maxroundsroot", 0)
            model.setHeuristics(SCIP_PARAMSETTING.OFF)
        return model


FAMILIES = (
    Family(
        name="SC 500x1000",
        generator=SetCover(n_rows=500, n_columns=1000, density=0.05),
        instances=10,
        samples=8,
        epochs=30,
    ),
    Family(
        name="CA 100x500",
        generator=CombinatorialAuction(n_items=100, n_bids=500),
        instances=20,
        samples=8,
        epochs=30,
    ),
    Family(
        name="SC 2000x1000",
        generator=SetCover(n_rows=2000, n_columns=1000, density=0.05),
        instances=2,
        samples=4,
    ),
)
SMOKE = (
    Family(
        name="CA 50x200",
        generator=CombinatorialAuction(n_items=50, n_bids=200),
        instances=6,
        samples=2,
        epochs=1,
    ),
)
