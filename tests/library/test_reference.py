"""The reference hashes: every generated distribution has them, keeps them and its size."""

from __future__ import annotations

import re
import tempfile
import tomllib
import warnings
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from statistics import fmean
from typing import Any, ClassVar, NamedTuple

import pytest
from narrowing import present
from slow_parameters import slow_where

import milplib
from milplib.errors import MilplibError
from milplib.generators import SetCover
from milplib.library import SPLITS, Distribution, distribution, generate_split
from milplib.library.reference import (
    REFERENCE_COUNT,
    Reference,
    ReferenceWarning,
    differences_of_stack,
    differing_from_reference,
    reference_hashes,
    reference_stack,
    references,
    warn_where_different,
)
from milplib.library.write_reference import write_reference

GENERATED = {entry.name: entry for entry in milplib.distributions() if entry.generator is not None}
# Nine instances of each of these take from half a second to thirty seconds, of each other less.
EXPENSIVE = (
    "ABD-milplib-hard",
    "CA-easy",
    "CA-medium",
    "CA-milplib-deep",
    "CA-milplib-judging",
    "CA-very-hard",
    "CA-very-hard2",
    "CFLP-easy",
    "CFLP-medium",
    "CFLP-milplib-deep",
    "CTS-milplib-hard",
    "MIRP-milplib-hard",
    "MIS-medium",
    "MIS-very-hard",
    "MMCN-milplib-hard",
    "MMCN-milplib-hard-BC",
    "MMCN-milplib-very-hard",
    "MVC-easy",
    "MVC-hard",
    "MVC-medium",
    "MVC-very-hard",
    "SC-hard",
    "SC-medium",
    "SC-very-hard",
    "SRPN-ky4-hard",
)


class FirstInstance(NamedTuple):
    sha256: str
    rows: int
    columns: int
    published_bytes: int
    """Of the same instance in a file of the generator behind the published sets."""


@cache
def first_instances(name: str) -> dict[str, list[FirstInstance]]:
    """Generate the instances with a hash once for all tests; keep no file."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as out, warnings.catch_warnings():
        warnings.simplefilter("ignore", ReferenceWarning)
        for split in SPLITS:
            records = generate_split(GENERATED[name], split=split, count=REFERENCE_COUNT, out=out)
            found[split] = [
                FirstInstance(
                    sha256=record.sha256,
                    rows=record.rows,
                    columns=record.columns,
                    published_bytes=bytes_as_published(name, Path(out, split, record.file)),
                )
                for record in records
            ]
    return found


def bytes_as_published(name: str, path: Path) -> int:
    """Size of a file if the generator behind the published sets had written it.

    It lists binary columns in one line and has no End. In auctions rows have no name and prices
    all their digits, in independent sets a term is ``+ 1 x1`` in the objective and ``+ x1`` in
    rows. The published sizes are those of lines that end in CR LF.
    """
    text = path.read_text()
    if name not in WITH_BYTES:
        return len(text)
    objective, rows, binary = re.split("\n\n(?:subject to|binary)\n", text)
    size = len(text) - len("End\n") + text.count("\n")
    size -= 2 * (binary.count("\n") - 2)
    if name.startswith("MIS-"):
        size += objective.count(" +1 x") - rows.count(" +1 x")
    if name.startswith("CA-"):
        size -= sum(len(row.partition(" ")[0]) for row in rows.splitlines())
        for price in re.findall(r"\+(\S+) ", objective):
            # a number of as many digits as prices have that are not rounded to nine
            size += len(repr(float(price) * (1 + 2**-40))) - len(price)
    return size


WITH_SIZE = [name for name, entry in GENERATED.items() if entry.published and entry.published.rows]
WITH_BYTES = [
    name
    for name, entry in GENERATED.items()
    # The other files were written by SCIP or PuLP, and have other forms than ours.
    if entry.domain in ("CA", "SC", "MIS") and entry.published and entry.published.mean_bytes
    if entry.published.file_format == "lp"
]


def of_all_splits(name: str) -> Any:
    return [instance for split in SPLITS for instance in first_instances(name)[split]]


def test_every_distribution_with_a_generator_has_hashes_of_its_version() -> None:
    assert list(references()) == list(GENERATED), "make renew"
    for name, entry in GENERATED.items():
        assert references()[name].generator_version == present(entry.generator).generator_version
        assert {split: len(found) for split, found in present(reference_hashes(name)).items()} == (
            dict.fromkeys(SPLITS, REFERENCE_COUNT)
        )
    hashes = [
        sha256
        for name in GENERATED
        for found in present(reference_hashes(name)).values()
        for sha256 in found
    ]
    assert len(set(hashes)) == len(hashes)
    assert all(re.fullmatch("[0-9a-f]{64}", sha256) for sha256 in hashes)


def test_the_hashes_were_made_with_the_tested_versions() -> None:
    constraints = (Path(__file__).parents[2] / "constraints.txt").read_text()
    tested = dict(re.findall(r"^(\S+)==(\S+)$", constraints, re.MULTILINE))
    assert reference_stack() == {name: tested[name] for name in ("numpy", "scipy", "networkx")}


@pytest.mark.parametrize("name", slow_where(EXPENSIVE, GENERATED))
def test_the_first_instances_of_each_split_regenerate_to_their_hashes(name: str) -> None:
    found = {
        split: tuple(instance.sha256 for instance in instances)
        for split, instances in first_instances(name).items()
    }
    if found != reference_hashes(name) and differences_of_stack():
        pytest.skip(f"other hashes, on another stack: {', '.join(differences_of_stack())}")
    assert found == reference_hashes(name)


@pytest.mark.parametrize("name", slow_where(EXPENSIVE, WITH_SIZE))
def test_the_first_instances_have_the_rows_and_columns_of_the_catalogue(name: str) -> None:
    facts = GENERATED[name].published
    instances = of_all_splits(name)
    columns = [instance.columns for instance in instances]
    if name.startswith("GISP-"):  # one a removable edge, of a random graph
        assert fmean(columns) == pytest.approx(present(facts).columns, rel=0.02)
    else:
        assert set(columns) == {present(facts).columns}
    # The catalogue's rows are rounded: 190 stands for a mean of 192.5.
    assert fmean(instance.rows for instance in instances) == pytest.approx(
        present(facts).rows, rel=0.02
    )


@pytest.mark.parametrize("name", slow_where(EXPENSIVE, WITH_BYTES))
def test_the_first_instances_have_the_bytes_of_the_published_files(name: str) -> None:
    # A mean of nine auctions has a standard error of 0.7 %, one of nine of the others 0.03 %.
    tolerance = 0.02 if name.startswith("CA-") else 0.001
    mean = fmean(instance.published_bytes for instance in of_all_splits(name))
    assert mean == pytest.approx(present(GENERATED[name].published).mean_bytes, rel=tolerance)


class ShiftedSetCover(SetCover):
    """A family whose stream has changed."""

    def generate(self, seed: int) -> Any:
        return super().generate(seed + 1)


class NewSetCover(ShiftedSetCover):
    """A family whose stream has changed, and that says so."""

    generator_version: ClassVar[int] = 2


SMALL = distribution("SC-milplib-small")


def with_family(family: Any) -> Distribution:
    return replace(SMALL, generator=family(n_rows=300, n_columns=400, density=0.05))


def generated(
    source: Any,
    out: Any,
    *,
    count: int = 2,
    split: str = "val",
    seed: int = 0,
    file_format: str = "lp",
) -> Any:
    """Generate instances, and give what there is to compare with the reference."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ReferenceWarning)
        records = generate_split(
            source, split=split, count=count, seed=seed, out=out, file_format=file_format
        )
    sha256s = {index: record.sha256 for index, record in enumerate(records)}
    return {"split": split, "seed": seed, "file_format": file_format, "sha256s": sha256s}


def put_version_first(
    monkeypatch: pytest.MonkeyPatch, folder: Path, package: Any, number: Any
) -> None:
    """Let a package look as if another version of it were installed."""
    metadata = folder / f"{package}-{number}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {package}\nVersion: {number}\n"
    )
    monkeypatch.syspath_prepend(folder)


def test_a_changed_family_gives_a_warning_that_names_it_and_the_instances(tmp_path: Path) -> None:
    changed = with_family(ShiftedSetCover)
    found = generated(changed, tmp_path)
    assert differing_from_reference(changed, **found) == (0, 1)
    with pytest.warns(ReferenceWarning, match=r"SC-milplib-small, split val, .* 0, 1 .*") as caught:
        warn_where_different(changed, **found)
    assert "ShiftedSetCover" in str(caught[0].message)
    assert caught[0].filename == __file__


def test_a_raised_generator_version_gives_a_warning_that_names_both_versions(
    tmp_path: Path,
) -> None:
    changed = with_family(NewSetCover)
    with pytest.warns(ReferenceWarning, match=r"version 2 of .*NewSetCover instead of 1"):
        warn_where_different(changed, **generated(changed, tmp_path))


def test_another_stack_gives_a_warning_only_where_the_instances_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = version("numpy")
    put_version_first(monkeypatch, tmp_path / "stack", "numpy", "9.9.9")
    assert f"numpy 9.9.9 instead of {recorded}" in differences_of_stack()
    warn_where_different(SMALL, **generated(SMALL, tmp_path / "same"))
    changed = with_family(ShiftedSetCover)
    with pytest.warns(ReferenceWarning, match=rf"numpy 9\.9\.9 instead of {re.escape(recorded)}"):
        warn_where_different(changed, **generated(changed, tmp_path / "changed"))


@pytest.mark.parametrize("other", [{"seed": 1}, {"file_format": "mps"}, {"file_format": "lp.gz"}])
def test_other_seeds_and_formats_have_no_reference(tmp_path: Path, other: dict[str, Any]) -> None:
    assert differing_from_reference(SMALL, **generated(SMALL, tmp_path, **other)) == ()


def test_a_distribution_of_another_package_has_no_reference(tmp_path: Path) -> None:
    guest = replace(with_family(ShiftedSetCover), name="GUEST-easy")
    assert reference_hashes("GUEST-easy") is None
    warn_where_different(guest, **generated(guest, tmp_path))


def test_instances_are_compared_by_their_positions_and_later_ones_not_at_all() -> None:
    first, second, third = present(reference_hashes(SMALL.name))["train"]
    options: dict[str, Any] = {"split": "train", "seed": 0, "file_format": "lp"}
    assert differing_from_reference(SMALL, sha256s={2: third, 1: second}, **options) == ()
    assert differing_from_reference(SMALL, sha256s={2: first, 0: "", 3: ""}, **options) == (0, 2)


def test_a_reference_is_written_as_it_was_read(tmp_path: Path) -> None:
    write_reference(tmp_path / "copy.toml", references())
    shipped = Path(milplib.library.__file__).with_name("reference_hashes.toml")
    if not differences_of_stack():
        assert (tmp_path / "copy.toml").read_bytes() == shipped.read_bytes()
    assert (
        tomllib.loads((tmp_path / "copy.toml").read_text())["distributions"]
        == (tomllib.loads(shipped.read_text())["distributions"])
    )


def test_a_changed_family_gets_no_new_hashes_before_it_raises_its_version(tmp_path: Path) -> None:
    hashes = dict.fromkeys(SPLITS, ("0" * 64,) * REFERENCE_COUNT)
    with pytest.raises(MilplibError, match=r"SC-easy gives other instances .* still 1: raise it"):
        write_reference(
            tmp_path / "new.toml", {"SC-easy": Reference(generator_version=1, hashes=hashes)}
        )
    assert list(tmp_path.iterdir()) == []
    write_reference(
        tmp_path / "new.toml", {"SC-easy": Reference(generator_version=2, hashes=hashes)}
    )
    assert "generator_version = 2" in (tmp_path / "new.toml").read_text()


def test_generating_instances_that_differ_warns_the_caller_and_goes_on(tmp_path: Path) -> None:
    with pytest.warns(ReferenceWarning, match="split test") as caught:
        records = generate_split(with_family(ShiftedSetCover), split="test", count=2, out=tmp_path)
    assert caught[0].filename == __file__
    assert len(records) == 2
