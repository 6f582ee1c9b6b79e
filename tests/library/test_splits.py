"""Splits: cut, drawn from, mixed, compared; and a user's folders as distributions."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import milplib
from milplib.errors import InstanceError, MilplibError, ParameterError
from milplib.generators import SetCover
from milplib.library import fetch, instance_files, leaks, mixture
from milplib.library.splits import InstanceFile, ListedFiles, Split, shuffled


@pytest.fixture(scope="module")
def small() -> Any:
    return milplib.load("SC-milplib-small")


@pytest.fixture
def own(tmp_path: Path) -> Any:
    """Ten instances in a folder."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for seed in range(10):
        instance = SetCover(n_rows=15, n_columns=20, density=0.15).generate(seed=seed)
        instance.write(folder / f"{seed}.lp")
    return folder


def split(name: str, count: Any, *, domain: Any = None, tmp_path: Path = Path()) -> Any:
    """A split whose files nobody will open."""
    files = [InstanceFile(f"{name}/{i}.lp", tmp_path, f"{name} {i}") for i in range(count)]
    domain = domain or name.partition("-")[0]
    return Split(ListedFiles(files), distribution=name, domain=domain, name="train")


def names(files: Any) -> list[str]:
    return [file.name for file in files]


def test_a_split_is_cut_like_a_list() -> None:
    files = split("CA-easy", 10)
    assert len(files) == 10
    assert names(files[2:8:3]) == ["CA-easy/2.lp", "CA-easy/5.lp"]
    assert names(files[:80]) == names(files)
    assert names(files[5:][1:3]) == ["CA-easy/6.lp", "CA-easy/7.lp"]
    assert files[-1].name == "CA-easy/9.lp"
    assert files[3] in files
    with pytest.raises(IndexError):
        files[10]


def test_samples_of_one_seed_are_beginnings_of_each_other_and_others_differ() -> None:
    files = split("CA-easy", 800)
    drawn = {count: names(files.sample(count, seed=3)) for count in (80, 160, 320, 800)}
    assert drawn[80] == drawn[160][:80] == drawn[320][:80]
    assert sorted(drawn[800]) == sorted(names(files))
    assert drawn[80] != names(files.sample(80, seed=4))
    assert set(names(files[:100].sample(50, seed=0))) <= set(names(files[:100]))
    with pytest.raises(ParameterError, match=r"801 instances.*has 800"):
        files.sample(801, seed=0)
    with pytest.raises(ParameterError, match="seed is -1"):
        files.sample(1, seed=-1)


def test_the_draw_of_a_seed_never_changes() -> None:
    assert shuffled(12, seed=0) == [11, 3, 8, 4, 10, 2, 5, 9, 6, 7, 1, 0]


def test_only_the_instances_that_are_asked_for_are_generated(
    small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILPLIB_CACHE", str(tmp_path))
    test = milplib.load("SC-milplib-small").test
    assert len(test) == 100
    chosen = test[70:72]
    assert not list(tmp_path.rglob("*.lp"))
    files = list(chosen)
    assert sorted(path.name for path in tmp_path.rglob("*.lp")) == [
        "SC-milplib-small-test-00070.lp",
        "SC-milplib-small-test-00071.lp",
    ]
    assert files[0].read().content_hash == files[0].content_hash
    (whole,) = fetch("SC-milplib-small", splits=["test"])
    assert len(whole.manifest.records) == 100
    assert names(milplib.load("SC-milplib-small").test)[70] == files[0].name


def test_generated_and_fetched_files_are_the_same(small: Any, tmp_path: Path) -> None:
    (found,) = fetch("SC-milplib-small", splits=["test"], out=tmp_path)
    assert (found.folder / small.test[5].path.name).read_bytes() == small.test[5].path.read_bytes()


def test_published_files_are_not_mixed_with_generated_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: Any
) -> None:
    monkeypatch.setenv("MILPLIB_CACHE", str(tmp_path / "cache"))
    fetch("CA-easy", source=own, splits=["train"])
    assert len(milplib.load("CA-easy", offline=True).train) == 10
    generated = milplib.load("CA-easy", source="generator").train[0]
    assert generated.path.parents[2].name == "generated"
    assert generated.path.name == "CA-easy-train-00000.lp"
    assert names(milplib.load("CA-easy", offline=True).train)[0] == "CA-easy/train/0.lp"


def test_one_folder_of_files_is_not_taken_for_two_splits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: Any
) -> None:
    monkeypatch.setenv("MILPLIB_CACHE", str(tmp_path / "cache"))
    data = milplib.load("CA-easy", source=own)
    assert len(data.train) == 10
    with pytest.raises(MilplibError, match="the test split of CA-easy are its train split"):
        len(data.test)
    with pytest.raises(MilplibError, match="the val split of CA-easy are its train split"):
        fetch("CA-easy", splits=["val"])


def test_an_entry_of_the_catalogue_says_how_to_get_instances() -> None:
    (entry,) = [d for d in milplib.distributions() if d.name == "CA-medium"]
    with pytest.raises(MilplibError, match=r"milplib\.load\('CA-medium'\)"):
        _ = entry.train
    with pytest.raises(MilplibError, match="did you mean CA-medium"):
        milplib.load("CA-mediun")
    with pytest.raises(MilplibError, match="split 'validation'"):
        milplib.load("CA-medium").split("validation")


def test_any_folder_is_a_distribution_whose_splits_follow_from_the_seed(own: Any) -> None:
    mine = milplib.Distribution.from_folder(own, val=0.2, test=0.3, seed=1)
    assert (mine.name, mine.domain, mine.provenance) == ("mine", "mine", "own")
    parts = [set(names(part)) for part in (mine.train, mine.val, mine.test)]
    assert [len(part) for part in parts] == [5, 2, 3]
    assert len(set.union(*parts)) == 10
    again = milplib.Distribution.from_folder(own, val=0.2, test=0.3, seed=1)
    assert names(again.test) == names(mine.test)
    other = milplib.Distribution.from_folder(own, val=0.2, test=0.3, seed=2)
    assert names(other.test) != names(mine.test)
    assert leaks([mine.train, mine.val, mine.test]) == []


def test_a_folder_that_has_splits_keeps_them(own: Any, tmp_path: Path) -> None:
    for part, files in (("train", "012"), ("test", "34")):
        (tmp_path / "d" / part).mkdir(parents=True)
        for file in files:
            shutil.copy(own / f"{file}.lp", tmp_path / "d" / part)
    mine = milplib.Distribution.from_folder(tmp_path / "d", name="my data", domain="SC")
    assert (len(mine.train), len(mine.test), mine.domain) == (3, 2, "SC")
    with pytest.raises(MilplibError, match="split 'val'"):
        _ = mine.val


def test_equal_files_share_a_split(own: Any) -> None:
    for number in range(10):
        shutil.copy(own / f"{number}.lp", own / f"copy of {number}.lp")
    mine = milplib.Distribution.from_folder(own, val=0.25, test=0.25, seed=0)
    found = leaks([mine.train, mine.val, mine.test])
    assert len(found) == 10
    assert not any(leak.crosses_splits for leak in found)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"val": -0.1}, "share of val"),
        ({"test": 1.0}, "share of test"),
        ({"val": 0.5, "test": 0.5}, "none is left for training"),
    ],
)
def test_shares_that_leave_nothing_are_refused(
    own: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        milplib.Distribution.from_folder(own, **options)


def test_a_folder_without_instances_is_no_distribution(tmp_path: Path) -> None:
    with pytest.raises(InstanceError, match="no instance files"):
        milplib.Distribution.from_folder(tmp_path)
    with pytest.raises(InstanceError, match="does not exist"):
        milplib.Distribution.from_folder(tmp_path / "none")


def test_a_mixture_gives_every_domain_the_same() -> None:
    parts = [split("CA-easy", 99), split("CA-medium", 99), split("SC-easy", 99)]
    mixed = mixture(parts, count=40, seed=0)
    assert len(mixed) == 40
    drawn = Counter(file.name.partition("/")[0] for file in mixed)
    assert drawn == {"CA-easy": 10, "CA-medium": 10, "SC-easy": 20}
    assert names(mixed) == names(mixture(parts, count=40, seed=0))
    assert names(mixed) != names(mixture(parts, count=40, seed=1))
    assert len(set(names(mixed))) == 40


@pytest.mark.parametrize("count", [0, 1, 7, 100, 101])
def test_weights_are_kept_to_within_one_instance(count: int) -> None:
    parts = [split(name, 200) for name in ("CA-easy", "SC-easy", "MIS-easy")]
    weights = {"CA-easy": 5.0, "SC-easy": 3.0, "MIS-easy": 0.0}
    drawn = Counter(f.name.partition("/")[0] for f in mixture(parts, count=count, weights=weights))
    assert sum(drawn.values()) == count
    for name, weight in weights.items():
        assert abs(drawn[name] - count * weight / 8) < 1
    assert drawn["MIS-easy"] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": -1}, "at least 0"),
        ({"count": 60}, r"share of SC-easy is 30 of 60.*has 20"),
        ({"count": 4, "weights": {"CA-easy": 1}}, "weight of SC-easy is missing"),
        ({"count": 4, "weights": {"CA-easy": -1, "SC-easy": 1}}, "negative"),
        ({"count": 4, "weights": {"CA-easy": 0, "SC-easy": 0}}, "are 0"),
        (
            {"count": 4, "weights": {"CA-easy": 1, "SC-easy": 1, "SC-esy": 1}},
            "did you mean SC-easy",
        ),
    ],
)
def test_mixtures_that_cannot_be_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(MilplibError, match=message):
        mixture([split("CA-easy", 100), split("SC-easy", 20)], **options)


def test_a_mixture_of_nothing_or_of_one_twice_is_refused() -> None:
    with pytest.raises(ParameterError, match="no parts"):
        mixture([], count=1)
    with pytest.raises(ParameterError, match="CA-easy twice"):
        mixture([split("CA-easy", 3), split("CA-easy", 3)], count=1)


def test_leakage_is_found_by_content_whatever_the_file(
    own: Any, small: Any, tmp_path: Path
) -> None:
    mine = milplib.Distribution.from_folder(own)
    (tmp_path / "theirs").mkdir()
    milplib.read(own / "3.lp").write(tmp_path / "theirs" / "other name.mps.gz")
    shutil.copy(small.test[0].path, tmp_path / "theirs")
    theirs = milplib.Distribution.from_folder(tmp_path / "theirs", test=0, val=0)
    found = leaks([mine.train, mine.val, mine.test, theirs.train, small.test[:3]])
    assert len(found) == 2
    assert all(leak.crosses_splits for leak in found)
    files = {place[2] for leak in found for place in leak.places}
    assert "mine/3.lp" in files
    assert "theirs/other name.mps.gz" in files


def test_splits_are_taken_where_folders_are(small: Any, own: Any) -> None:
    files = instance_files([small.test[:2], own], split="test")
    assert len(files) == 12
    assert names(files[:2]) == names(small.test[:2])
    with pytest.raises(InstanceError, match="given 2 times"):
        instance_files([small.test[:2], small.test[1:3]], split="test")


@pytest.mark.slow
def test_policies_are_judged_on_splits_by_their_distributions(own: Any, tmp_path: Path) -> None:
    mine = milplib.Distribution.from_folder(own, name="of my own")
    auctions = milplib.load("CA-very-easy", source="generator").test
    results = milplib.evaluate(
        [mine.test[:1], auctions[:1]],
        policies=["relpscost"],
        time_limit=60,
        out=tmp_path / "results",
    )
    assert results.table["distribution"].to_pylist() == ["of my own", "CA-very-easy"]
