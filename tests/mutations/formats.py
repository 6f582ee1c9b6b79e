"""The formats that milplib reads.

A format gives back what milplib read. What its file says by an independent reader is compared with
it: an input is refused, or nothing in it is lost or changed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mutations import instance_readers as instances
from mutations import library_readers as library
from mutations import readers
from mutations import training_readers as training
from mutations.readers import EARLIER, SHIPPED

import milplib
from milplib.library.sources.csv_rows import csv_instances

__all__ = ["FORMATS", "Format"]


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format, or several files that are read together.

    Parameters
    ----------
    write
        Writes valid inputs into an empty folder.
    files
        Names of the files to mutate.
    read
        Reads the folder, and returns all that milplib makes of the mutated file.
    said
        Returns what the mutated file says, in the form of `read`; None compares nothing, and asks
        only that the input is read or refused.
    """

    name: str
    write: Callable[[Path], None]
    files: tuple[str, ...]
    read: Callable[[Path, str], Any]
    said: Callable[[Path, str], Any] | None = None
    is_text: bool = True


_MANIFEST = ("manifest.json",)
FORMATS = {
    form.name: form
    for form in (
        Format(name="results", write=readers.copy(EARLIER / "results"), files=_MANIFEST,
               read=readers.read_results, said=readers.said_by_results),
        Format(name="runs", write=readers.copy(EARLIER / "results"),
               files=("runs.parquet", "traces.parquet"), read=readers.read_results,
               said=readers.said_by_results, is_text=False),
        Format(name="unfinished", write=readers.write_unfinished, read=readers.read_unfinished,
               files=tuple(f"unfinished/{name}.json"
                           for name in ("manifest", "000000", "environment", "progress"))),
        Format(name="hardness", write=readers.write_hardness,
               files=("h/manifest.json", "h/hardness.csv"), read=readers.read_hardness,
               said=readers.said_by_hardness),
        Format(name="best rule", files=("best.json",), read=readers.read_best,
               write=readers.copy_file(EARLIER / "best-native.json", "best.json"),
               said=readers.said_by_best),
        Format(name="samples", write=readers.copy(EARLIER / "samples"),
               files=("manifest.json", "shard-00000.arrow"),
               read=readers.ignoring(readers.read_samples),
               said=readers.said_by_samples),
        Format(name="shards", write=readers.copy(EARLIER / "samples"), files=("shard-00000.arrow",),
               read=readers.ignoring(readers.read_unverified), is_text=False),
        Format(name="policy", read=readers.read_policy, said=readers.said_by_policy, is_text=False,
               write=readers.copy_file(SHIPPED / "gcnn-set-covers.safetensors", "a.safetensors"),
               files=("a.safetensors",)),
        Format(name="training", write=training.write_training, read=training.read_training,
               files=("manifest.json", "log.csv"), said=training.said_by_training),
        Format(name="checkpoint", write=training.write_checkpoint, read=training.read_checkpoint,
               files=("checkpoint.safetensors",), said=training.said_by_checkpoint, is_text=False),
        Format(name="families", write=readers.copy_file(SHIPPED / "families.json", "f.json"),
               files=("f.json",), read=readers.read_families, said=readers.said_by_families),
        Format(name="split", write=library.write_split, files=_MANIFEST, read=library.read_split,
               said=library.said_by_split),
        Format(name="optima", write=library.write_split, files=("optima.csv",),
               read=library.read_optima, said=library.said_by_optima),
        Format(name="checksums", write=library.write_hashes, files=("hashes.json",),
               read=library.read_hashes),
        Format(name="mirror", write=library.write_mirror, files=("train.csv",),
               read=lambda folder, name: list(csv_instances(folder / name))),
        Format(name="study", write=readers.copy_file(EARLIER / "study.yaml", "study.yaml"),
               files=("study.yaml",), read=library.read_study, said=library.said_by_study),
        Format(name="record", write=library.write_record, files=("study.json", "runs.parquet"),
               read=library.read_record, said=library.said_by_record),
        Format(name="costs", write=library.write_costs, files=("costs.json",),
               read=library.read_costs),
        Format(name="toml", read=library.read_toml, files=("catalogue.toml",),
               write=readers.copy_file(Path(milplib.__file__).parent / "library/catalogue.toml",
                                "catalogue.toml"),
               said=lambda folder, name: tomllib.loads((folder / name).read_text("utf-8"))),
        Format(name="instance", write=instances.write_instances, read=instances.read_instance,
               files=("a.lp", "a.mps", "odd.lp", "odd.mps"), said=instances.said_by_instance),
        Format(name="compressed", write=instances.write_compressed, read=instances.read_instance,
               files=("a.lp.gz", "a.mps.gz"), said=instances.said_by_compressed, is_text=False),
    )
}  # fmt: skip
