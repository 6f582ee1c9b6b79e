"""Commands about instances: ``generate``, ``fetch``, ``list`` and ``info``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

from milplib.cli.console import (
    HERE,
    ExecutionOptions,
    WholeNumber,
    complain,
    output,
    progress_bar,
)
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
    """Generate instances of a distribution, each reproducible by itself.

    Writes OUT/SPLIT/ with the instances and a manifest. A larger count only adds.

    Parameters
    ----------
    name
        Name of the distribution; see ``milplib list``.
    out
        Folder of the data set.
    split
        The split to generate; splits never share instances.
    count
        Number of instances.
    seed
        Of the whole data set.
    file_format
        Form of the files.
    force
        Replace other instances that OUT/SPLIT holds.
    """
    from milplib.library import distribution, generate_split

    source = distribution(name)
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
) -> None:
    """Fetch a distribution of Distributional MIPLIB.

    Writes a folder of instance files with a manifest for each split. What is there is not
    fetched again, and what was interrupted goes on.

    Parameters
    ----------
    name
        Name of the distribution; see ``milplib list``.
    source
        ``mirror``, ``site`` (an archive you put into the cache's folder ``site``),
        ``generator``, the path of a folder or zip archive, or an archive's URL. If not given,
        the first of site, mirror and generator that has it.
    split
        Splits to fetch; all that there are if not given.
    out
        Folder to write into; the cache if not given.
    offline
        Use nothing that is not on this machine.
    force
        Replace what is there.
    """
    from milplib.library import BrokenInstance, FetchProgress
    from milplib.library import fetch as fetch_splits

    def tell(broken: BrokenInstance) -> None:
        complain(f"broken instance: {broken.name}: {broken.reason}")

    with progress_bar(f"fetching {name}") as bar:
        found = fetch_splits(
            name,
            source=source,
            splits=split or None,
            out=out,
            offline=offline,
            force=force,
            progress=FetchProgress(
                on_bytes=lambda done, total, file: bar.update(
                    done >> 20, None if total is None else total >> 20, f"MB of {file}"
                ),
                on_instance=lambda split, done, total: bar.update(done, total, split),
                on_broken=tell,
            ),
        )
    for part in found:
        records = part.manifest.records.values()
        size = sum(record.bytes for record in records)
        broken = len(part.manifest.broken)
        output().print(
            f"{len(records)} instances of {name} in {part.folder} ({size / 1e6:.1f} MB), "
            f"from {part.origin}" + (f"; {broken} broken" if broken else ""),
            markup=False,
        )


def list_distributions(*, domain: str | None = None, level: str | None = None) -> None:
    """List the distributions: the published ones, and those that milplib can generate.

    Parameters
    ----------
    domain
        Only this domain's, such as CA.
    level
        Only those of this level: the published data's, by Gurobi, or milplib.
    """
    from milplib.library import distributions, generator_parameters

    known = distributions()
    _check_choice("domain", domain, [entry.domain for entry in known])
    _check_choice("level", level, [entry.level for entry in known])
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "domain", "level", "provenance", "parameters"):
        table.add_column(heading)
    for entry in known:
        if entry.domain != (domain or entry.domain) or entry.level != (level or entry.level):
            continue
        telling = generator_parameters(entry.generator, with_defaults=False)
        parameters = ", ".join(f"{name}={value}" for name, value in telling.items())
        if entry.generator is None and entry.published is not None:
            parameters = entry.published.parameters or "not published"
        table.add_row(entry.name, entry.domain, entry.level, entry.provenance, parameters)
    output().print(table)


def info(name: str, /) -> None:
    """Tell what is known of a distribution.

    Parameters
    ----------
    name
        Name of the distribution; see ``milplib list``.
    """
    from milplib.library import distribution, generator_parameters

    entry = distribution(name)
    lines = {"name": name, "domain": entry.domain, "level": entry.level}
    lines["provenance"] = entry.provenance
    facts = entry.published
    if facts is not None:
        sizes = [("rows", facts.rows), ("columns", facts.columns)]
        known = [f"about {size:,} {what}" for what, size in sizes if size is not None]
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
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for key, value in lines.items():
        table.add_row(key, Text(value or "not known"))
    output().print(table)


def _sizes(facts: Published) -> str:
    """Say how large the files of the splits are, if the mean size of an instance is known."""
    if facts.mean_bytes is None or not facts.splits:
        return ""
    sizes = (f"{split} {n * facts.mean_bytes / 1e6:,.0f} MB" for split, n in facts.splits.items())
    return f", about {', '.join(sizes)}"


def _fetched(name: str) -> str:
    """Say which splits of a distribution the cache has."""
    from milplib.library import SPLITS
    from milplib.library.cache import Cache
    from milplib.library.manifest import SplitManifest

    known = []
    for generated in (False, True):
        folder = Cache.default().distribution_folder(name, generated=generated)
        manifests = {split: SplitManifest.load(folder / split) for split in SPLITS}
        counts = {split: len(found.records) for split, found in manifests.items() if found}
        if any(counts.values()):
            listed = ", ".join(f"{count} {split}" for split, count in counts.items() if count)
            known.append(f"{listed} in {folder}")
    return "; ".join(known)


def _check_choice(kind: str, name: str | None, known: list[str]) -> None:
    if name is not None and name not in known:
        raise UnknownNameError(kind, name, dict.fromkeys(known))
