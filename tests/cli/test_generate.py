"""The command ``generate``: what it writes, and what it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path

from narrowing import present

import milplib
from milplib.library import instance_seed

from .conftest import content, fail, run, succeed


def test_generate_writes_a_split_and_a_manifest_that_reproduces_every_instance(
    auctions: Path,
) -> None:
    manifest = json.loads((auctions / "train" / "manifest.json").read_text())
    files = sorted(path.name for path in (auctions / "train").glob("*.lp"))
    assert [entry["file"] for entry in manifest["instances"]] == files
    assert len(files) == 3
    generator = milplib.library.distribution("CA-milplib-small").generator
    for index, entry in enumerate(manifest["instances"]):
        seed = instance_seed("CA-milplib-small", split="train", seed=5, index=index)
        assert entry["seed"] == seed
        instance = milplib.read(auctions / "train" / entry["file"])
        assert present(generator).generate(seed).content_hash == instance.content_hash
        assert entry["content_hash"] == instance.content_hash
        assert entry["nonzeros"] == instance.n_nonzeros


def test_generate_in_other_formats_gives_the_same_instances(auctions: Path, tmp_path: Path) -> None:
    for form in ("lp.gz", "mps", "mps.gz"):
        out = tmp_path / form
        succeed(
            "generate",
            "CA-milplib-small",
            "--count",
            1,
            "--seed",
            5,
            "--out",
            out,
            "--format",
            form,
        )
        (path,) = (out / "train").glob(f"*.{form}")
        original = next(iter(sorted((auctions / "train").glob("*.lp"))))
        assert milplib.read(path).content_hash == milplib.read(original).content_hash


def test_a_larger_count_adds_and_a_smaller_one_or_another_seed_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "sc"
    succeed("generate", "SC-milplib-small", "--count", 2, "--out", out, "--split", "test")
    before = content(out)
    succeed("generate", "SC-milplib-small", "--count", 3, "--out", out, "--split", "test")
    after = content(out)
    assert len(after) == len(before) + 1
    assert all(after[name] == before[name] for name in before if name.endswith(".lp"))
    for other in (("--count", 1), ("--count", 3, "--seed", 1)):
        fail(
            "generate",
            "SC-milplib-small",
            *other,
            "--out",
            out,
            "--split",
            "test",
            naming="--force",
        )
        assert content(out) == after
    succeed(
        "generate",
        "SC-milplib-small",
        "--count",
        1,
        "--seed",
        1,
        "--out",
        out,
        "--split",
        "test",
        "--force",
    )
    assert len(content(out)) == 2


def test_splits_share_no_instance(tmp_path: Path) -> None:
    hashes = []
    for split in ("train", "val", "test"):
        succeed("generate", "SC-milplib-small", "--count", 2, "--out", tmp_path, "--split", split)
        manifest = json.loads((tmp_path / split / "manifest.json").read_text())
        hashes += [entry["content_hash"] for entry in manifest["instances"]]
    assert len(set(hashes)) == 6


def test_progress_is_silent_without_a_terminal(auctions: Path, tmp_path: Path) -> None:
    done = run("generate", "CA-milplib-small", "--count", 2, "--out", tmp_path)
    assert done.returncode == 0
    assert done.stderr == ""


def test_generate_never_follows_a_path_in_a_manifest(tmp_path: Path) -> None:
    out = tmp_path / "a" / "b"
    succeed("generate", "CA-milplib-small", "--count", 1, "--out", out)
    (tmp_path / "a" / "victim").write_text("keep")
    manifest = out / "train" / "manifest.json"
    content = json.loads(manifest.read_text())
    content["instances"][0]["file"] = "../../victim"
    manifest.write_text(json.dumps(content))
    succeed("generate", "CA-milplib-small", "--count", 1, "--seed", 9, "--out", out, "--force")
    assert (tmp_path / "a" / "victim").read_text() == "keep"
