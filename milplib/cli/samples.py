"""Commands about samples: ``collect`` and ``samples inspect``."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter
from rich.table import Table

from milplib.cli.console import (
    WholeNumber,
    allow_modules_here,
    output,
    print_json,
    print_pairs,
    progress_bar,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from milplib.learn import Sample, SampleSet
    from milplib.learn.collect import Progress

__all__ = ["collect", "samples_app"]

samples_app = App(name="samples", help="Look into folders of samples.")


def collect(
    folders: list[Path],
    /,
    *,
    out: Path,
    workers: WholeNumber = 1,
    samples_per_instance: WholeNumber = 10,
    expert_probability: float = 0.05,
    seed: WholeNumber = 0,
    setting: Literal["default", "learn2branch"] = "default",
    label_children: Annotated[bool, Parameter(negative="")] = False,
    blocks: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")] = (
        "pseudocost",
    ),
    max_episodes: WholeNumber = 10,
    node_limit: WholeNumber = 10_000,
    iteration_limit: WholeNumber = 10_000_000,
    time_limit: float = 3600.0,
    force: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Collect strong-branching samples from folders of instances.

    Each instance is solved, exploring with pseudocosts and asking the expert now and then,
    again with other seeds until it has given its samples. Interrupted, the same command goes on
    where it stopped. The samples do not depend on the number of workers.

    Parameters
    ----------
    folders
        Folders of instances; of one that holds split folders, ``train`` is taken.
    out
        Folder for the samples: ``*.arrow`` and a manifest.
    workers
        Number of processes.
    samples_per_instance
        Samples wanted from each instance.
    expert_probability
        Probability of asking the expert at a branching node.
    seed
        Of exploration and SCIP.
    setting
        SCIP as it comes, or without cuts below the root and without restarts.
    label_children
        Ask the expert at the children of such a node, too.
    blocks
        Features to record beside the state: ``pseudocost``, ``tree``, or
        ``package.module:Name`` for a state function of one's own.
    max_episodes
        Solves of an instance after which fewer samples have to do.
    node_limit
        Branch-and-bound nodes after which an episode stops.
    iteration_limit
        Simplex iterations, with those of strong branching, after which an episode stops.
    time_limit
        Seconds after which an episode is discarded as failed: a safety net.
    force
        Replace another collection in OUT.
    """
    from milplib.learn import collect as collect_samples

    allow_modules_here(*blocks)
    with progress_bar("collecting") as bar:

        def show(progress: Progress) -> None:
            bar.update(progress.done, progress.total, f"{progress.samples} samples")

        samples = collect_samples(
            folders,
            out=out,
            workers=workers,
            samples_per_instance=samples_per_instance,
            expert_probability=expert_probability,
            seed=seed,
            setting=setting,
            label_children=label_children,
            blocks=blocks,
            max_episodes=max_episodes,
            node_limit=node_limit,
            iteration_limit=iteration_limit,
            time_limit=time_limit,
            force=force,
            on_progress=show,
        )
    print_outcomes(samples)


def print_outcomes(samples: SampleSet) -> None:
    """Say how many samples there are, and name the instances that gave fewer than asked."""
    console = output()
    instances = samples.manifest.instances
    kinds = Counter(str(instance["outcome"]) for instance in instances)
    counts = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    console.print(
        f"{len(samples)} samples of {len(instances)} instances ({counts}) in {samples.folder}",
        markup=False,
    )
    for instance in instances:
        if instance["reason"]:
            console.print(
                f"  {instance['instance']}: {instance['outcome']}: {instance['reason']}",
                markup=False,
            )


@samples_app.command
def inspect(
    folder: Path, /, *, as_json: Annotated[bool, Parameter(name="--json", negative="")] = False
) -> None:
    """Describe a folder of samples, and how trivial choices agree with the expert.

    Parameters
    ----------
    folder
        The folder that ``collect`` wrote.
    as_json
        Print JSON.
    """
    from milplib.learn import SampleSet
    from milplib.learn.samples.statistics import sample_statistics

    samples = SampleSet(folder)
    console = output()
    if not len(samples):
        if as_json:
            print_json({"samples": 0})
        else:
            print_outcomes(samples)
        return
    with progress_bar("reading") as bar:

        def watched() -> Iterator[Sample]:
            for number, sample in enumerate(samples):
                yield sample
                bar.update(number + 1, len(samples))

        found = sample_statistics(watched())
    if as_json:
        print_json(asdict(found))
        return
    print_outcomes(samples)
    smallest, mean, median, largest = found.candidates
    size = sum(shard.bytes for shard in samples.manifest.shards)
    lines = {
        "trees": f"{found.trees} of {found.instances} instances",
        "size on disk": f"{size / 1e6:.2f} MB, {size / found.samples / 1e3:.1f} kB a sample",
        "state (mean)": f"{found.rows:.0f} rows, {found.columns:.0f} columns, "
        f"{found.edges:.0f} edges",
        "depth": f"mean {found.depth[0]:.1f}, largest {found.depth[1]}",
        "candidates a sample": f"mean {mean:.1f}, median {median:.0f}, from {smallest} to "
        f"{largest}",
        "ties": f"{100 * found.samples_with_ties:.1f} % of the samples have several best "
        f"candidates; {found.tied:.2f} best candidates a sample",
        "candidates without a score": f"{100 * found.invalid_scores:.2f} %",
        "blocks": ", ".join(
            f"{block.name} {block.version} ({len(block.columns)} columns)"
            for block in samples.blocks
        )
        or "none",
    }
    print_pairs(lines)
    table = Table(
        box=None,
        pad_edge=False,
        title="trivial choices against the expert",
        title_justify="left",
    )
    for heading in ("choice", "accuracy@1", "score regret"):
        table.add_column(heading, justify="left" if heading == "choice" else "right")
    for name, choice in found.choices.items():
        table.add_row(name, f"{choice.accuracy:.3f}", f"{choice.regret:.3f}")
    console.print(table)
