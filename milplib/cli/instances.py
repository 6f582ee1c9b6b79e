"""Commands about instances: ``generate``, ``fetch``, ``list`` and ``info``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from milplib.cli.console import (
    HERE,
    ExecutionOptions,
    WholeNumber,
    complain,
    output,
    print_pairs,
    progress_bar,
)
from milplib.cli.tables import Column, print_table
from milplib.errors import UnknownNameError

if TYPE_CHECKING:
    from milplib.library import Published

__all__ = ["fetch", "generate", "info", "list_distributions"]


def generate(
    name: str,
    /,
    *,
    out: Path,
    split: Literal["train", "val", "test"] = "train",
    count: WholeNumber = 10,
    seed: WholeNumber = 0,
    file_format: Annotated[
        Literal["lp", "lp.gz", "mps", "mps.gz"], Parameter(name="--format")
    ] = "lp",
    execution: ExecutionOptions = HERE,
    force: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Generate reproducible instances of a distribution.

    Writes the instances and a manifest to OUT/SPLIT/. A larger count adds instances.

    Parameters
    ----------
    name
        Name of the distribution; see ``milplib list``.
    out
        Folder of the data set.
    split
        Split to generate. Splits never share instances.
    count
        Number of instances.
    seed
        Seed of the whole data set.
    file_format
        File format.
    force
        Replace other instances in OUT/SPLIT.
    """
    from milplib.library import find_distribution, generate_split

    source = find_distribution(name)
    with progress_bar(f"generating {name}") as bar:
        entries = generate_split(
            source,
            split=split,
            count=count,
            seed=seed,
            out=out,
            file_format=file_format,
            execution=execution.execution(),
            force=force,
            on_progress=lambda done: bar.update(done, count),
        )
    size = sum(entry.bytes for entry in entries)
    output().print(
        f"{len(entries)} instances of {name} in {out / split} ({size / 1e6:.1f} MB)", markup=False
    )


def fetch(
    name: str,
    /,
    *,
    source: str | None = None,
    split: Annotated[
        list[Literal["train", "val", "test"]] | None, Parameter(consume_multiple=True, negative="")
    ] = None,
    out: Path | None = None,
    offline: Annotated[bool, Parameter(negative="")] = False,
    force: Annotated[bool, Parameter(negative="")] = False,
    max_instance_mb: WholeNumber | None = None,
) -> None:
    """Fetch a distribution of Distributional MIPLIB.

    Writes a folder of instance files with a manifest for each split. Does not fetch again what is
    there, and continues an interrupted fetch.

    Parameters
    ----------
    name
        Name of the distribution; see ``milplib list``.
    source
        ``mirror``, ``site`` (an archive in the cache's folder ``site``), ``generator``, the path
        of a folder or zip archive, or the URL of an archive. A folder has the layout of the site
        or that of the mirror (CA/medium/train.csv). Default: the first of site, mirror and
        generator that has the distribution.
    split
        Splits to fetch. Default: all.
    out
        Output folder. Default: the cache.
    offline
        Ask no server.
    force
        Replace existing files.
    max_instance_mb
        Largest unpacked instance in MB, however small it is packed. Larger ones are broken.
    """
    from milplib.library import BrokenInstance, FetchProgress, SourceLimits
    from milplib.library import fetch as fetch_splits

    def tell(broken: BrokenInstance) -> None:
        complain(f"broken instance: {broken.name}: {broken.reason}")

    with progress_bar(f"fetching {name}") as bar:
        fetched = fetch_splits(
            name,
            source=source,
            splits=split or None,
            out=out,
            offline=offline,
            force=force,
            limits=(
                None
                if max_instance_mb is None
                else SourceLimits.of_instance(max_instance_mb * 1_000_000)
            ),
            progress=FetchProgress(
                on_bytes=lambda done, total, file: bar.update(
                    done >> 20, None if total is None else total >> 20, f"MB of {file}"
                ),
                on_instance=lambda split, done, total: bar.update(done, total, split),
                on_broken=tell,
            ),
        )
    for part in fetched:
        records = part.manifest.records.values()
        size = sum(record.bytes for record in records)
        broken = len(part.manifest.broken)
        output().print(
            f"{len(records)} instances of {name} in {part.folder} ({size / 1e6:.1f} MB), "
            f"from {part.origin}" + (f"; {broken} broken" if broken else ""),
            markup=False,
        )


def list_distributions(*, domain: str | None = None, level: str | None = None) -> None:
    """List the published distributions and those that milplib generates.

    Parameters
    ----------
    domain
        List this domain only, such as CA.
    level
        List this level only: a published level (by Gurobi), or milplib.
    """
    from milplib.library import distributions, generator_parameters

    known = distributions()
    _check_choice("domain", domain, [entry.domain for entry in known])
    _check_choice("level", level, [entry.level for entry in known])
    rows = []
    for entry in known:
        if entry.domain != (domain or entry.domain) or entry.level != (level or entry.level):
            continue
        telling = generator_parameters(entry.generator, with_defaults=False)
        parameters = ", ".join(f"{name}={value}" for name, value in telling.items())
        if entry.generator is None and entry.published is not None:
            parameters = entry.published.parameters or "not published"
        rows.append([entry.name, entry.domain, entry.level, entry.provenance, parameters])
    headings = ("domain", "level", "provenance", "parameters")
    columns = [Column(heading=heading, is_text=True) for heading in headings]
    print_table([Column(heading="name", is_key=True), *columns], rows)


def info(name: str, /) -> None:
    """Describe a distribution.

    Parameters
    ----------
    name
        Name of the distribution; see ``milplib list``.
    """
    from milplib.library import find_distribution, generator_parameters

    entry = find_distribution(name)
    lines = {"name": name, "domain": entry.domain, "level": entry.level}
    lines["provenance"] = entry.provenance
    facts = entry.published
    if facts is not None:
        sizes = [("rows", facts.rows), ("columns", facts.columns)]
        known = [f"about {size:,} {unit}" for unit, size in sizes if size is not None]
        lines["domain"] = f"{entry.domain}, {facts.title}"
        lines["level"] = f"{entry.level} (by Gurobi)"
        lines["instances"] = ", ".join(f"{n} {split}" for split, n in facts.splits.items())
        lines["parameters"] = facts.parameters or "not published"
        lines["size"] = ", ".join(known)
        if facts.mean_bytes is not None:
            lines["files"] = f"{facts.mean_bytes:,} bytes each on average ({facts.file_format})"
        settings = ", ".join(f"{key} = {value}" for key, value in facts.settings.items())
        lines["settings"] = settings or "SCIP's own"
        lines["licence"] = facts.licence
        lines["sources"] = (
            f"archive of the site ({name}.zip), huggingface.co/datasets/{facts.mirror} "
            f"({name.replace('-', '/', 1)}/*.csv{_sizes(facts)})"
        )
    if entry.generator is not None:
        parameters = generator_parameters(entry.generator).items()
        text = ", ".join(f"{key}={value!r}" for key, value in parameters)
        lines["generator"] = f"{type(entry.generator).__name__}({text})"
    lines["fetched"] = _fetched(name) or "nothing; see milplib fetch"
    for number, reference in enumerate(facts.references if facts else (), start=1):
        lines[f"reference {number}"] = reference
    print_pairs({key: value or "not known" for key, value in lines.items()})


def _sizes(facts: Published) -> str:
    """Describe the size of the splits, if the mean size of an instance is known."""
    if facts.mean_bytes is None or not facts.splits:
        return ""
    sizes = (f"{split} {n * facts.mean_bytes / 1e6:,.0f} MB" for split, n in facts.splits.items())
    return f", about {', '.join(sizes)}"


def _fetched(name: str) -> str:
    """Describe the splits in the cache."""
    from milplib.library import SPLITS
    from milplib.library.cache import Cache
    from milplib.library.manifest import SplitManifest

    known = []
    for generated in (False, True):
        folder = Cache.default().distribution_folder(name, generated=generated)
        manifests = {split: SplitManifest.load(folder / split) for split in SPLITS}
        counts = {split: len(held.records) for split, held in manifests.items() if held}
        if any(counts.values()):
            listed = ", ".join(f"{count} {split}" for split, count in counts.items() if count)
            known.append(f"{listed} in {folder}")
    return "; ".join(known)


def _check_choice(noun: str, name: str | None, known: list[str]) -> None:
    if name is not None and name not in known:
        raise UnknownNameError(noun, name, dict.fromkeys(known))
