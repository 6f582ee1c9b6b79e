"""Compare how models imitate the expert: ``python benchmarks/learning.py TRAIN --validation VAL``.

Trains milplib's network, PyTorch Geometric's textbook network (with the same initial weights and
batches) and a linear ranker (with the better of two learning rates) on the same states, and
evaluates them on the validation samples. Without validation samples, a fifth of the instances is
held out. Network and ranker are trained twice: on the state, and on the state with pseudocosts.
Each ranker is compared with the network of the same inputs; the textbook network and pseudocost
scores are compared with the network without pseudocosts. Intervals of the differences are in
hundredths, from 10,000 draws of the validation instances with all their samples. Without
arguments, the script first generates and collects a few small instances to run in a minute; its
figures are then meaningless.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from rich.table import Table
from textbook_gcnn import TextbookGCNN
from torch import nn

from milplib.generators import CombinatorialAuction
from milplib.learn import GCNN, collect
from milplib.learn.dataset import to_batch
from milplib.learn.models import fit_norms
from milplib.learn.options import NetworkOptions
from milplib.learn.training import judge
from milplib.learn.training.data import TrainingData
from milplib.learn.training.metrics import Judgement, mean_metrics
from milplib.learn.training.trainer import Trainer
from milplib.scip import PseudocostFeature

OURS = "milplib's GCNN"
RANKER_RATES = (1e-2, 1e-3)


def small_samples(folder: str, *, instances: int, samples: int) -> str:
    """Collect samples of small auctions for a smoke test of a benchmark."""
    for seed in range(instances):
        instance = CombinatorialAuction(n_items=50, n_bids=200).generate(seed)
        instance.write(f"{folder}/{seed:03d}.lp")
    collect([folder], out=f"{folder}/samples", samples_per_instance=samples,
            expert_probability=1.0)  # fmt: skip
    return f"{folder}/samples"


class LinearRanker(nn.Module):
    """A weighted sum of a candidate's features, as rankers use them.

    These are its column features, its pseudocosts and their logarithms, and the mean and extremes
    of its rows' features and coefficients. Each occurs twice: standardised, and scaled to 0 … 1
    over the candidates of the state.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, batch: Any) -> None:
        super().__init__()
        features = self.features(batch)
        deviation = features.std(0)
        self.register_buffer("mean", features.mean(0))
        self.register_buffer("scale", torch.where(deviation > 0, deviation, 1.0).reciprocal())
        self.weights = nn.Linear(features.shape[1], 1, bias=False)
        nn.init.zeros_(self.weights.weight)

    @staticmethod
    def features(graph: Any) -> torch.Tensor:
        """Return the features of the candidates, shape (k, 94)."""
        row, column = graph.edge_index.long()
        of_edge = torch.cat((graph.row_features[row], graph.edge_features[:, None]), dim=1)
        n = len(graph.variable_features)
        zeros = torch.zeros(n, of_edge.shape[1])
        index = column[:, None].expand_as(of_edge)
        degree = torch.bincount(column, minlength=n)[:, None]
        aggregated = torch.cat(
            (
                zeros.index_add(0, column, of_edge) / degree.clamp(min=1),
                zeros.scatter_reduce(0, index, of_edge, "amax", include_self=False),
                zeros.scatter_reduce(0, index, of_edge, "amin", include_self=False),
                degree.log1p(),
            ),
            dim=1,
        )
        chosen, blocks = graph.candidates, graph.block_features
        known = (graph.variable_features[chosen], aggregated[chosen], blocks, blocks.abs().log1p())
        features = torch.cat(known, dim=1)
        state = graph.candidates_batch
        index = state[:, None].expand_as(features)
        empty = torch.zeros(graph.num_graphs, features.shape[1])
        low = empty.scatter_reduce(0, index, features, "amin", include_self=False)[state]
        high = empty.scatter_reduce(0, index, features, "amax", include_self=False)[state]
        relative = (features - low) / torch.where(high > low, high - low, 1.0)
        return torch.cat((features, relative), dim=1)

    def forward(self, graph: Any) -> torch.Tensor:
        """Return the scores of the candidates, shape (k,)."""
        scores: torch.Tensor = self.weights((self.features(graph) - self.mean) * self.scale)[:, 0]
        return scores


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Results of a model on the validation samples, and the time of its training."""

    judgements: list[Judgement]
    loss: float = float("nan")
    seconds: float = float("nan")

    def values(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return the metrics of each sample."""
        ranks = np.array([judgement.rank for judgement in self.judgements])
        regrets = np.array([judgement.regret for judgement in self.judgements])
        return {"accuracy@1": 1.0 * (ranks <= 1), "@5": 1.0 * (ranks <= 5), "regret": regrets}


def trained(name: str, trainer: Trainer) -> Outcome:
    """Train to the end, and evaluate the best weights."""
    while not trainer.is_done:
        record = trainer.epoch()
        if sys.stderr.isatty():
            text = f"{name}: epoch {record.epoch}, validation loss {record.validation['loss']:.4f}"
            print(f"\r{text}, {record.seconds:.1f} s   ", end="", file=sys.stderr)
    history = trainer.state.history
    trainer.use_best()
    judgements, losses = trainer.judge()
    loss, seconds = statistics.mean(losses), statistics.median(r.seconds for r in history)
    text = f"{name}: {len(history)} epochs of {seconds:.1f} s, validation loss {loss:.4f}"
    print(f"{text:<79}", flush=True)
    return Outcome(judgements, loss, seconds)


def by_pseudocost(data: TrainingData) -> Iterator[Judgement]:
    for position in range(len(data.validation)):
        sample = data.validation.sample(position)
        yield judge(
            sample.state.blocks["pseudocost"][:, PseudocostFeature.SCORE],
            candidates=sample.state.candidates,
            expert=sample.scores,
            valid=sample.valid,
        )


def interval(
    differences: npt.NDArray[np.float64], instances: npt.NDArray[np.str_]
) -> tuple[float, float, float]:
    """Return the mean difference and its 95 % interval."""
    names, group = np.unique(instances, return_inverse=True)
    sums, sizes = np.bincount(group, weights=differences), np.bincount(group)
    drawn = np.random.RandomState(0).randint(0, len(names), size=(10_000, len(names)))
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(differences.mean()), float(low), float(high)


def compare(options: argparse.Namespace) -> Table:
    outcomes: dict[str, Outcome] = {}
    rivals: dict[str, str] = {}  # milplib's network with the same inputs, for each other model
    for blocks in ((), ("pseudocost",)):
        training = NetworkOptions(
            epochs=options.epochs,
            batches_per_epoch=options.batches_per_epoch,
            blocks=blocks,
        )
        data = TrainingData.open(
            options.train, options.validation, options=training, seed=options.seed
        )
        known = " and pseudocosts" if blocks else ""
        names = {kind: kind + known for kind in (OURS, "textbook GCNN", "linear ranker")}
        n_block_columns = data.training[0].block_features.shape[1]
        generator = torch.Generator().manual_seed(options.seed)
        ours = GCNN(n_block_columns=n_block_columns, generator=generator)
        textbook = TextbookGCNN()
        if not blocks:
            textbook.start_like(ours)
        trainer = Trainer(ours, data, options=training, seed=options.seed)
        fit_norms(ours, partial(trainer.batches, 0))
        outcomes[names[OURS]] = trained(names[OURS], trainer)
        if not (blocks or options.skip_textbook):
            trainer_of_textbook = Trainer(textbook, data, options=training, seed=options.seed)
            textbook.fit_norms(partial(trainer_of_textbook.batches, 0))
            outcomes["textbook GCNN"] = trained("textbook GCNN", trainer_of_textbook)
            rivals["textbook GCNN"] = OURS
        outcomes[names["linear ranker"]] = best_ranker(
            names["linear ranker"], data, training, seed=options.seed
        )
        rivals[names["linear ranker"]] = names[OURS]
    outcomes["pseudocost"] = Outcome(list(by_pseudocost(data)))
    rivals["pseudocost"] = OURS
    return tabulated(outcomes, rivals, data)


def best_ranker(name: str, data: TrainingData, options: NetworkOptions, *, seed: int) -> Outcome:
    """Train a linear ranker at each learning rate, and return the better one."""
    every = max(1, len(data.training) // 500)  # enough for means and deviations
    some = to_batch([data.training[i] for i in range(0, len(data.training), every)])
    rankers = []
    for rate in RANKER_RATES:
        trainer = Trainer(
            LinearRanker(some),
            data,
            options=dataclasses.replace(options, learning_rate=rate),
            seed=seed,
        )
        rankers.append(trained(f"{name}, rate {rate}", trainer))
    return min(rankers, key=lambda outcome: outcome.loss)


def tabulated(outcomes: dict[str, Outcome], rivals: dict[str, str], data: TrainingData) -> Table:
    n = len(data.validation)
    instances = np.array([data.validation.sample(i).tree.instance_hash for i in range(n)])
    table = Table(
        title=f"{len(data.training)} training samples; {n} validation samples of "
        f"{len(set(instances))} instances"
    )
    table.add_column("choice")
    for heading in ("accuracy@1", "@5", "regret", "s an epoch"):
        table.add_column(heading, justify="right")
    for heading in ("ours - its accuracy@1", "@5", "regret"):  # with the same inputs
        table.add_column(heading, justify="right")
    for name, outcome in outcomes.items():
        metrics, values = mean_metrics(outcome.judgements), outcome.values()
        figures = (metrics.accuracy[0], metrics.accuracy[2], metrics.regret)
        line = [name, *(f"{figure:.3f}" for figure in figures)]
        line.append("" if np.isnan(outcome.seconds) else f"{outcome.seconds:.1f}")
        our_values = outcomes[rivals[name]].values() if name in rivals else {}
        for key, ours in our_values.items():
            difference = interval(100 * (ours - values[key]), instances)
            line.append("{:+.2f} [{:+.2f}, {:+.2f}]".format(*difference))
        table.add_row(*line)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("train", nargs="*", type=Path, help="folders of training samples")
    parser.add_argument(
        "--validation", nargs="+", type=Path, default=[], help="of validation samples"
    )
    parser.add_argument("--epochs", type=int, default=200, help="maximum number (default 200)")
    parser.add_argument("--batches-per-epoch", type=int, default=312)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--skip-textbook", action="store_true", help="as it is 10 times slower")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        if not options.train:
            options.train = [Path(small_samples(folder, instances=6, samples=6))]
            options.epochs = 3
        table = compare(options)
    console = Console()
    console.width = max(console.width, 165)
    console.print(table)


if __name__ == "__main__":
    main()
