"""Commands about samples: ``collect`` and ``samples inspect``."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from milplib.cli.console import (
    HERE,
    ExecutionOptions,
    WholeNumber,
    allow_modules_here,
    complain,
    output,
    print_json,
    progress_bar,
    say,
)
from milplib.cli.names import known_blocks
from milplib.cli.sample_tables import print_damaged, print_ranges, print_statistics
from milplib.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from milplib.learn import Sample, SampleSet
    from milplib.learn.collecting import Progress

__all__ = ["collect", "samples_app"]

samples_app = App(name="samples", help="Inspect folders of samples.")


def collect(
    folders: list[Path],
    /,
    *,
    out: Path,
    execution: ExecutionOptions = HERE,
    samples_per_instance: WholeNumber = 10,
    expert: str = "full",
    expert_probability: float = 0.05,
    seed: WholeNumber = 0,
    setting: Literal["default", "learn2branch"] = "default",
    label_children: Annotated[bool, Parameter(negative="")] = False,
    blocks: Annotated[
        tuple[str, ...],
        Parameter(
            consume_multiple=True,
            negative="",
            help=f"Features to record beside the state: {known_blocks()}, or "
            "``package.module:Name`` for a state function of your own.",
        ),
    ] = ("pseudocost",),
    max_episodes: WholeNumber = 10,
    node_limit: WholeNumber = 10_000,
    iteration_limit: WholeNumber = 10_000_000,
    time_limit: float = 3600.0,
    force: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Collect strong-branching samples from folders of instances.

    Solves each instance, exploring with pseudocosts and asking the expert at random nodes, again
    with other seeds until it has enough samples. The samples do not depend on the number of
    workers. Run an interrupted command again to continue it. The exit code is 1 if there is no
    sample at all.

    Parameters
    ----------
    folders
        Folders of instances. In a folder with split folders, ``train`` is used.
    out
        Output folder for ``*.arrow`` files and a manifest.
    samples_per_instance
        Number of samples from each instance.
    expert
        ``full`` strong branching, ``fast``, ``faster``, limits such as
        ``shortlist:50+screen:20/8``, or ``package.module:Name`` for an expert of your own. See
        docs/experts.md.
    expert_probability
        Probability of asking the expert at a branching node.
    seed
        Seed of exploration and SCIP.
    setting
        ``default``: SCIP's default settings. ``learn2branch``: no cuts below the root and no
        restarts.
    label_children
        Also ask the expert at the children of such a node.
    blocks
        Features to record beside the state.
    max_episodes
        Maximum number of solves of an instance, even if it has fewer samples.
    node_limit
        Stop an episode after this many branch-and-bound nodes.
    iteration_limit
        Stop an episode after this many simplex iterations, including strong branching.
    time_limit
        Discard an episode as failed after this many seconds; a safety net.
    force
        Replace another collection in OUT.
    """
    from milplib.learn import collect as collect_samples

    allow_modules_here(expert, *blocks)
    with progress_bar("collecting") as bar:

        def show(progress: Progress) -> None:
            bar.update(progress.done, progress.total, f"{progress.samples} samples")

        samples = collect_samples(
            folders,
            out=out,
            execution=execution.execution(),
            samples_per_instance=samples_per_instance,
            expert=expert,
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
    if len(samples):
        return 0
    complain(f"no samples: {_why_none(samples)}")
    return 1


def _why_none(samples: SampleSet) -> str:
    """Say what to do about a collection without samples."""
    outcomes = {str(instance["outcome"]) for instance in samples.manifest.instances}
    if outcomes <= {"none", "duplicate"}:
        return (
            "SCIP solved every instance before a node was labelled; take harder instances, a "
            "larger --expert-probability or more --max-episodes, with --force"
        )
    return "no instance gave any; the lines above say why"


def print_outcomes(samples: SampleSet) -> None:
    """Print the number of samples, and the instances with fewer than requested."""
    instances = samples.manifest.instances
    kinds = Counter(str(instance["outcome"]) for instance in instances)
    counts = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    say(f"{len(samples)} samples of {len(instances)} instances ({counts}) in {samples.folder}")
    for instance in instances:
        if instance["reason"]:
            say(f"  {instance['instance']}: {instance['outcome']}: {instance['reason']}", hanging=4)


@samples_app.command
def inspect(
    folder: Path,
    /,
    *,
    features: Annotated[bool, Parameter(negative="")] = False,
    picture: Path | None = None,
    sample: WholeNumber | None = None,
    strict: Annotated[bool, Parameter(negative="")] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Describe a folder of samples, and the agreement of trivial choices with the expert.

    Names damaged shards and leaves them out.

    Parameters
    ----------
    folder
        Folder that ``collect`` wrote.
    features
        Also list the range of every feature.
    picture
        Only draw one sample as this PNG file: its scores, its state and its place in the tree.
    sample
        Number of the sample to draw. Default: 0, the first.
    strict
        Fail if a shard is damaged.
    as_json
        Print JSON.
    """
    from milplib.learn import SampleSet
    from milplib.learn.samples import DamagedShardWarning

    if sample is not None and picture is None:
        raise ParameterError("--sample needs --picture FILE.png, the file to draw into")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DamagedShardWarning)  # printed with the results
        samples = SampleSet(folder, strict=strict, finite=False)
    if picture is not None:
        draw(samples, sample or 0, picture, as_json=as_json)
    elif len(samples):
        describe(samples, features=features, as_json=as_json)
    elif as_json:
        print_json({"samples": 0})
    else:
        print_outcomes(samples)


def describe(samples: SampleSet, *, features: bool, as_json: bool) -> None:
    """Read all samples once and print their statistics."""
    from milplib.learn.samples.ranges import FeatureRanges
    from milplib.learn.samples.statistics import sample_statistics

    ranges = FeatureRanges(samples.blocks)
    with progress_bar("reading") as bar:

        def watched() -> Iterator[Sample]:
            for number, sample in enumerate(samples):
                ranges.add(sample.state)
                yield sample
                bar.update(number + 1, len(samples))

        statistics = sample_statistics(watched())
    if as_json:
        damaged = [asdict(shard) for shard in samples.damaged]
        listed = [asdict(feature) for feature in ranges.found()]
        print_json(asdict(statistics) | {"damaged": damaged, "features": listed})
        return
    print_outcomes(samples)
    print_damaged(samples)
    print_statistics(samples, statistics, ranges.found())
    if features:
        print_ranges(ranges.found())


def draw(samples: SampleSet, number: int, path: Path, *, as_json: bool) -> None:
    """Draw a sample and print its origin."""
    from milplib.learn.samples.picture import write_picture

    if path.suffix.lower() != ".png":
        raise ParameterError(f"the picture is a PNG file: choose a name ending in .png, not {path}")
    if not 0 <= number < len(samples):
        numbers = f"0 to {len(samples) - 1}" if len(samples) else "none"
        raise ParameterError(
            f"there is no sample {number} in {samples.folder}; existing samples: {numbers}"
        )
    write_picture(samples, number, path)
    shown = samples[number]
    about = {"sample": number, "instance": shown.tree.instance, "episode": shown.tree.episode}
    about |= {"node": shown.node, "depth": shown.depth, "picture": str(path)}
    if as_json:
        print_json(about | {"damaged": [asdict(shard) for shard in samples.damaged]})
        return
    output().print(
        f"{path}: sample {number} of {len(samples)}, {shown.tree.instance}, episode "
        f"{shown.tree.episode}, node {shown.node} at depth {shown.depth}",
        markup=False,
    )
    print_damaged(samples)
