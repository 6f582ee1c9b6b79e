"""Renew the reference hashes: ``python -m milplib.library.write_reference [--all]``.

By default, generates the distributions that are new or whose family has increased its
generator_version, and all if other versions of NumPy, SciPy or NetworkX are installed. With
``--all``, generates all.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import warnings
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from milplib.errors import MilplibError
from milplib.files import atomic_write
from milplib.library.catalogue import distributions, find_generator
from milplib.library.distribution import Distribution
from milplib.library.folder import SPLITS
from milplib.library.generation import generate_split
from milplib.library.reference import (
    REFERENCE_COUNT,
    REFERENCE_FILE,
    Reference,
    ReferenceWarning,
    differences_of_stack,
    reference_stack,
    references,
)

__all__ = ["current_reference", "is_current", "write_reference"]

_HEADER = """\
# SHA-256 of the first three LP files of each split of every distribution with a generator, as
# `milplib generate NAME --split SPLIT` writes them with seed 0, and the versions they were made
# with. Generating warns where it gives other files.
#
# Renewed by `make renew` when a distribution is new, a family has raised its generator_version, or
# constraints.txt names other versions of these packages.
"""


def current_reference(distribution: Distribution) -> Reference:
    """Generate and hash the first instances of each split of a distribution.

    Raises
    ------
    NoGeneratorError
        If no installed family generates the distribution.

    Examples
    --------
    >>> from milplib.library import find_distribution
    >>> reference = current_reference(find_distribution("MIS-milplib-small"))
    >>> {split: len(hashes) for split, hashes in reference.hashes.items()}
    {'train': 3, 'val': 3, 'test': 3}
    """
    hashes = {}
    # Differences from the old reference are expected here.
    with tempfile.TemporaryDirectory() as out, warnings.catch_warnings():
        warnings.simplefilter("ignore", ReferenceWarning)
        for split in SPLITS:
            records = generate_split(distribution, split=split, count=REFERENCE_COUNT, out=out)
            hashes[split] = tuple(record.sha256 for record in records)
    version_of_generator = find_generator(distribution).generator_version
    return Reference(generator_version=version_of_generator, hashes=hashes)


def is_current(distribution: Distribution) -> bool:
    """Whether the reference matches the generator's version and the installed packages.

    Examples
    --------
    >>> from milplib.library import find_distribution
    >>> is_current(find_distribution("SC-easy")) or differences_of_stack() != ()
    True
    """
    known = references().get(distribution.name)
    version_of_generator = find_generator(distribution).generator_version
    return (
        known is not None
        and known.generator_version == version_of_generator
        and not differences_of_stack()
    )


def write_reference(path: str | os.PathLike[str], renewed: Mapping[str, Reference]) -> None:
    """Write a reference file with the installed package versions.

    Parameters
    ----------
    path
        Path of the file; see `milplib.files.atomic_write`.
    renewed
        References by distribution name.

    Raises
    ------
    MilplibError
        If instances have changed but the family's generator_version has not.
    OutputError
        If the file cannot be written.

    Examples
    --------
    >>> path = Path(tempfile.mkdtemp()) / "reference.toml"
    >>> write_reference(path, {"SC-easy": references()["SC-easy"]})
    >>> "[distributions.SC-easy]" in path.read_text()
    True
    """
    for name, entry in renewed.items():
        before = references().get(name)
        if before and before != entry and before.generator_version == entry.generator_version:
            raise MilplibError(
                f"{name} gives other instances than before, and its generator_version is still "
                f"{entry.generator_version}: raise it, or restore the old instances"
            )
    lines = [_HEADER, "[stack]"]
    lines += [f'{package} = "{version(package)}"' for package in reference_stack()]
    for name, entry in renewed.items():
        lines += ["", f"[distributions.{name}]", f"generator_version = {entry.generator_version}"]
        for split, hashes in entry.hashes.items():
            lines += [f"{split} = [", *(f'    "{sha256}",' for sha256 in hashes), "]"]
    with atomic_write(path) as stream:
        stream.write("".join(f"{line}\n" for line in lines).encode())


def main() -> None:
    """Renew the reference file beside this module. All distributions take about a minute."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="generate known ones again, too")
    options = parser.parse_args()
    renewed = {}
    for entry in distributions():
        if entry.generator is None:
            continue
        if is_current(entry) and not options.all:
            renewed[entry.name] = references()[entry.name]
        else:
            print(f"hashes of {entry.name}", flush=True)
            renewed[entry.name] = current_reference(entry)
    if renewed != dict(references()) or differences_of_stack():
        write_reference(Path(__file__).with_name(REFERENCE_FILE), renewed)


if __name__ == "__main__":
    main()
