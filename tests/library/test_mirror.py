"""Fetching from the mirror, by the Hub's own client, from a server on loopback."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

import milplib
from milplib.errors import MilplibError, OutputError, SourceError, SourceUnavailableError
from milplib.library import FetchProgress, RegeneratedWarning, fetch, instance_files
from milplib.library.sources import MirrorSource

from .conftest import csv_text
from .mirror_server import PREFIX
from .mirrored import TRAIN, contents


def test_all_splits_are_fetched_whole_with_a_manifest(served: Any, texts: list[bytes]) -> None:
    seen = []
    progress = FetchProgress(on_bytes=lambda done, total, name: seen.append((done, total, name)))
    found = fetch("CA-medium", progress=progress)
    assert [part.split for part in found] == ["train", "val", "test"]
    assert [contents(part) for part in found] == [texts[:3], texts[3:4], texts[4:6]]
    manifest = json.loads((found[0].folder / "manifest.json").read_text())
    assert (
        manifest["config"]["source"]["sha256"]
        == hashlib.sha256(served.files[PREFIX + TRAIN]).hexdigest()
    )
    entry = manifest["instances"][0]
    assert entry["file"] == "CA-medium-train-00000.lp"
    assert entry["sha256"] == hashlib.sha256(texts[0]).hexdigest()
    assert entry["bytes"] == len(texts[0])
    instance = milplib.read(found[0].folder / entry["file"])
    sizes = (instance.n_rows, instance.n_columns, instance.n_nonzeros)
    assert (entry["rows"], entry["columns"], entry["nonzeros"]) == sizes
    size = len(served.files[PREFIX + TRAIN])
    assert (size, size, "train.csv") in seen


def test_what_is_there_is_not_asked_for_again(served: Any) -> None:
    fetch("CA-medium")
    served.requests.clear()
    assert len(fetch("CA-medium")) == 3
    assert len(fetch("CA-medium", source="mirror")) == 3
    assert [file.name for file in milplib.load("CA-medium").val] == [
        "CA-medium/val/CA-medium-val-00000.lp"
    ]
    assert served.requests == []


def test_downloads_are_not_kept_once_their_instances_are(served: Any, tmp_path: Path) -> None:
    fetch("CA-medium")
    assert not list((tmp_path / "cache" / "downloads").rglob("*.csv"))


def test_another_folder_is_filled_from_the_cache(
    served: Any, tmp_path: Path, texts: list[bytes]
) -> None:
    fetch("CA-medium")
    served.requests.clear()
    found = fetch("CA-medium", out=tmp_path / "out", offline=True)
    assert contents(found[0]) == texts[:3]
    assert found[0].folder == tmp_path / "out" / "train"
    assert served.requests == []
    assert len(instance_files([tmp_path / "out"], split="test")) == 2


def test_the_name_val_is_found_where_validation_is_not(mirror: Any, texts: list[bytes]) -> None:
    mirror.put("CA/medium/val.csv", csv_text(texts[:1]))
    (found,) = fetch("CA-medium", splits=["val"])
    assert contents(found) == texts[:1]


@pytest.mark.slow
def test_a_connection_that_breaks_is_taken_up_where_it_broke(
    served: Any, texts: list[bytes]
) -> None:
    served.cuts = [2000, 3000]
    (found,) = fetch("CA-medium", splits=["train"])
    assert contents(found) == texts[:3]
    begins = [asked for asked in served.ranges() if asked]
    assert begins == ["bytes=2000-", "bytes=5000-"]


@pytest.mark.slow
def test_a_download_of_a_file_that_changed_since_begins_anew(
    served: Any, texts: list[bytes]
) -> None:
    served.cuts = [2000] + [0] * 6
    with pytest.raises(SourceError, match=r"cut off.*0\.0 MB are kept"):
        fetch("CA-medium", splits=["train"], source="mirror")
    served.put(TRAIN, csv_text(texts[3:6]))
    served.cuts = []
    served.requests.clear()
    (found,) = fetch("CA-medium", splits=["train"], source="mirror")
    assert contents(found) == texts[3:6]
    assert served.ranges() == [""]


@pytest.mark.slow
def test_a_cut_download_does_not_fall_back_on_the_generator(served: Any) -> None:
    served.cuts = [2000] + [0] * 6
    with pytest.raises(SourceError, match="the same command goes on from there"):
        fetch("CA-medium", splits=["train"])


def test_a_checksum_other_than_the_first_one_is_refused_and_the_file_kept(
    served: Any, texts: list[bytes], tmp_path: Path
) -> None:
    fetch("CA-medium", splits=["train"])
    changed = csv_text(texts[3:6])
    served.put(TRAIN, changed)
    with pytest.raises(SourceError, match=r"train has another checksum.*at the first fetch"):
        fetch("CA-medium", splits=["train"], out=tmp_path / "out", source="mirror")
    (aside,) = (tmp_path / "cache" / "refused").iterdir()
    assert aside.read_text() == changed.replace("\r\n", "\n") or aside.read_bytes() == (
        changed.encode()
    )
    assert not list((tmp_path / "out" / "train").glob("*")) if (tmp_path / "out").exists() else True


def test_a_checksum_other_than_the_one_the_server_names_is_refused(
    served: Any, tmp_path: Path
) -> None:
    served.etags[PREFIX + TRAIN] = "a" * 64
    with pytest.raises(SourceError, match=r"another checksum.*the server says aaaa"):
        fetch("CA-medium", splits=["train"])
    assert len(list((tmp_path / "cache" / "refused").iterdir())) == 1
    assert not (tmp_path / "cache" / "hashes.json").exists()


def test_a_checksum_other_than_the_catalogue_s_is_refused(
    served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from milplib.library import source_names

    def known(name: str, **options: Any) -> Any:
        return MirrorSource(name, **{**options, "checksums": {"train": "b" * 64}})

    monkeypatch.setattr(source_names, "MirrorSource", known)
    with pytest.raises(SourceError, match=r"another checksum.*the catalogue says bbbb"):
        fetch("CA-medium", splits=["train"])


def test_truncated_rows_are_listed_and_do_not_spoil_the_split(
    mirror: Any, texts: list[bytes]
) -> None:
    rows = csv_text(texts[:3]).splitlines(keepends=True)
    mirror.put(TRAIN, "".join([rows[0], rows[1], rows[2][: len(rows[2]) // 2] + "\r\n", rows[3]]))
    broken: list[Any] = []
    (found,) = fetch("CA-medium", splits=["train"], progress=FetchProgress(on_broken=broken.append))
    assert contents(found) == [texts[0], texts[2]]
    assert [entry.name for entry in broken] == ["row 1 of train.csv"]
    assert found.manifest.broken == broken


def test_an_instance_that_was_cut_before_it_was_encoded_is_listed(
    mirror: Any, texts: list[bytes], tmp_path: Path
) -> None:
    mps = tmp_path / "a.mps"
    (tmp_path / "a.lp").write_bytes(texts[0])
    milplib.read(tmp_path / "a.lp").write(mps)
    half = mps.read_bytes()[: mps.stat().st_size // 2]
    mirror.put(TRAIN, csv_text([mps.read_bytes(), half], formats="mps"))
    (found,) = fetch("CA-medium", splits=["train"])
    assert list(found.manifest.records) == ["CA-medium-train-00000.mps"]
    assert "ENDATA" in found.manifest.broken[0].reason


def test_rows_without_a_format_are_lp(mirror: Any, texts: list[bytes]) -> None:
    mirror.put(TRAIN, csv_text(texts[:2], columns=("", "MILP")))
    (found,) = fetch("CA-medium", splits=["train"])
    assert contents(found) == texts[:2]


def test_a_file_with_other_columns_is_refused(mirror: Any, tmp_path: Path) -> None:
    mirror.put(TRAIN, "id,text\n1,minimize\n")
    with pytest.raises(SourceError, match=r"one column 'MILP'.*it has 'id', 'text'"):
        fetch("CA-medium", splits=["train"], source="mirror")


def test_a_split_that_the_mirror_has_not_is_named(mirror: Any) -> None:
    with pytest.raises(SourceUnavailableError, match="has no train split of OTS-easy"):
        fetch("OTS-easy", source="mirror", splits=["train"])
    with pytest.raises(SourceUnavailableError, match="no source has the train or val or test"):
        fetch("OTS-easy")


def test_splits_that_there_are_are_fetched_though_others_are_missing(
    mirror: Any, texts: list[bytes]
) -> None:
    mirror.put("SRPN/easy/test.csv", csv_text(texts[:1]))
    assert [part.split for part in fetch("SRPN-easy")] == ["test"]


def test_suffixed_names_are_found_by_their_level(mirror: Any, texts: list[bytes]) -> None:
    mirror.put("MMCN/hard-BI/test.csv", csv_text(texts[:1]))
    assert [part.split for part in fetch("MMCN-hard-BI")] == ["test"]


def test_our_own_distributions_are_not_asked_of_the_mirror(mirror: Any, tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailableError, match="milplib's own"):
        fetch("SC-milplib-small", source="mirror")
    fetch("SC-milplib-small", splits=["test"], out=tmp_path / "out")
    assert mirror.requests == []


def test_without_network_a_verified_distribution_is_regenerated_with_a_warning(
    no_network: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("milplib.library.split_fetcher.n_generated", lambda entry, split: 2)
    with pytest.warns(RegeneratedWarning, match=r"CA-easy is regenerated.*cannot reach"):
        (found,) = fetch("CA-easy", splits=["test"])
    assert found.manifest.config["regenerated"] is True
    assert found.origin == "regenerated, not the published files"


def test_splits_of_several_sources_are_not_mixed(
    served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch("CA-medium", splits=["train"])
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(SourceUnavailableError, match="cannot reach"):
        fetch("CA-medium", splits=["train", "test"])


def test_without_network_nothing_is_made_up(no_network: None) -> None:
    with pytest.raises(SourceUnavailableError, match=r"cannot reach http://127\.0\.0\.1:9/.*OTS"):
        fetch("OTS-easy", source="mirror", splits=["train"])
    with pytest.raises(SourceUnavailableError, match=r"cannot reach http://127\.0\.0\.1:9/a\.zip"):
        fetch("OTS-easy", source="http://127.0.0.1:9/a.zip")


def test_offline_asks_no_server(served: Any) -> None:
    with pytest.raises(SourceUnavailableError, match="this is offline"):
        fetch("CA-medium", source="mirror", offline=True)
    with pytest.raises(SourceUnavailableError, match="this is offline"):
        fetch("OTS-easy", offline=True)
    assert served.requests == []


def test_an_archive_is_fetched_from_its_url(
    mirror: Any, texts: list[bytes], tmp_path: Path
) -> None:
    import zipfile

    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("CA-medium/test/a.lp", texts[0])
    mirror.files["/some/CA-medium.zip"] = path
    url = f"{mirror.url}/some/CA-medium.zip"
    mirror.cuts = [100]
    (found,) = fetch("CA-medium", source=url)
    assert contents(found) == texts[:1]
    assert found.manifest.config["source"]["url"] == url
    assert mirror.ranges() == ["", "bytes=100-"]
    with pytest.raises(SourceUnavailableError, match=r"no .*none\.zip \(HTTP status 404\)"):
        fetch("CA-medium", source=f"{mirror.url}/none.zip")


def test_more_than_the_disk_has_room_for_is_refused_before_it_comes(
    served: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import shutil

    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=100))
    with pytest.raises(OutputError, match="no room for"):
        fetch("CA-medium", splits=["train"], source="mirror")


def test_a_damaged_table_of_checksums_is_named(served: Any, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "hashes.json").write_text("{")
    with pytest.raises(SourceError, match=r"hashes\.json.*mend or remove"):
        fetch("CA-medium", splits=["train"])


def test_unknown_names_are_told_with_the_nearest(no_network: None) -> None:
    with pytest.raises(MilplibError, match="did you mean CA-medium"):
        fetch("CA-mediun")
    with pytest.raises(MilplibError, match="split 'tests'"):
        fetch("CA-medium", splits=["tests"])
