"""The loaders of JSON, YAML, TOML and CSV keep to their limits."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from milplib.errors import MilplibError
from milplib.evaluation import Evaluation
from milplib.files import file_sha256
from milplib.hardness import HardnessResults
from milplib.learn import SampleSet
from milplib.library.evaluated import evaluated_instances
from milplib.parsing import (
    ParseError,
    compose_yaml,
    parse_csv,
    parse_json,
    parse_number,
    parse_toml,
    read_regular,
)
from milplib.policies import read_policy
from milplib.policies.families import read_families
from milplib.study import load_study


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 100_000, "nested"),
        ('{"a":' * 65 + "1" + "}" * 65, "nested"),
        ('{"a": 1, "a": 2}', "'a' stands twice"),
        ("9223372036854775808", "64 bits"),
        ("1" * 10_000, "64 bits"),
        ("1e999", "larger than any float"),
        ('"\\ud800"', "half a surrogate"),
        ("[1,]", "Expecting value"),
        (b"\xff", "not in UTF-8"),
    ],
)
def test_json_beyond_a_limit_is_refused(text: bytes | str, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        parse_json(text)


def test_brackets_in_texts_are_no_depth() -> None:
    text = '["' + "[" * 1000 + '\\"' + "{" * 1000 + '\\\\", 3]'
    assert parse_json(text) == ["[" * 1000 + '"' + "{" * 1000 + "\\", 3]


LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: " + "[" * 50_000, "line 1: sections are nested"),
        (LAUGHS, "line 5: the file has more than 50000 values"),
        ("a: &x [*x]", "line 1: a value stands in itself"),
        ("a: " + "x" * 300_000, "the limit of such a file"),
    ],
)
def test_yaml_beyond_a_limit_is_refused_with_its_line(text: str, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        compose_yaml(text.encode())


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a = 9223372036854775808", "a = 1e999"])
def test_toml_beyond_a_limit_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse_toml(text.encode())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,a\n1,2\n", "stands twice"),
        ("a,b\n1\n", "row 2 has 1 fields"),
        ('a\n"1\n', "unexpected end"),
    ],
)
def test_csv_that_loses_a_field_is_refused(text: str, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        parse_csv(text.encode())


@pytest.mark.parametrize("text", ["1_0", "٣", "2,5", "1/2", "0x1", "1e999", ""])
def test_a_number_is_read_whole_or_not_at_all(text: str) -> None:
    with pytest.raises(ParseError):
        parse_number(text)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for read in (read_regular, file_sha256):
        with pytest.raises(OSError, match="not a regular file"):
            read(pipe)


PIPES: dict[str, Callable[[Path], object]] = {
    "manifest.json": lambda folder: SampleSet(folder),
    "results/manifest.json": lambda folder: Evaluation.load(folder / "results"),
    "hardness/manifest.json": lambda folder: HardnessResults.load(folder / "hardness"),
    "optima.csv": lambda folder: evaluated_instances([folder]),
    "families.json": lambda folder: read_families(folder / "families.json"),
    "study.yaml": lambda folder: load_study(folder / "study.yaml"),
    "policy.safetensors": lambda folder: read_policy(folder / "policy.safetensors"),
}


@pytest.mark.parametrize("name", PIPES)
def test_a_pipe_in_the_place_of_any_file_is_an_error_of_milplib(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.lp").write_text("minimize OBJ: x subject to C: x >= 1 End")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    os.mkfifo(tmp_path / name)
    with pytest.raises(MilplibError):
        PIPES[name](tmp_path)


def test_a_shard_that_is_a_pipe_is_left_out(tmp_path: Path) -> None:
    earlier = Path(__file__).parent / "data" / "earlier" / "samples"
    (tmp_path / "manifest.json").write_bytes((earlier / "manifest.json").read_bytes())
    os.mkfifo(tmp_path / "shard-00000.arrow")
    for verify in (True, False):
        with pytest.raises(MilplibError, match=r"shard-00000\.arrow"):
            SampleSet(tmp_path, verify=verify)
