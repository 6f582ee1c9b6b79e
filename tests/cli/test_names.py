"""What help texts, `doctor` and `collect` say about what is there and what is missing."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from milplib.cli.app import LAZY
from milplib.cli.requirements import Extra, core_packages, extras
from milplib.generators import CombinatorialAuction
from milplib.named import load_object
from milplib.policies import AUTO, pretrained_names
from milplib.scip import BLOCKS

from .conftest import run, succeed

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


@pytest.mark.parametrize("command", [["solve"], ["tree"], ["evaluate"]])
def test_help_names_auto_and_every_shipped_policy(command: list[str]) -> None:
    words = succeed(*command, "--help").replace("│", " ").split()
    text = " ".join(words)
    for name in (AUTO, *pretrained_names()):
        assert name in text


@pytest.mark.parametrize("command", [["policy", "info"], ["policy", "card"]])
def test_help_of_policies_names_every_shipped_one(command: list[str]) -> None:
    printed = succeed(*command, "--help")
    for name in pretrained_names():
        assert name in printed


def test_help_of_collect_names_every_block() -> None:
    printed = succeed("collect", "--help")
    text = " ".join(printed[printed.index("--blocks") :].replace("│", " ").split())
    for name in BLOCKS:
        assert name in text.partition("[default")[0]


@pytest.mark.parametrize("place", LAZY)
def test_a_command_that_is_imported_on_use_has_one_first_line_of_help(place: str) -> None:
    found = load_object(place, role="command")
    about: object = getattr(found, "help", None) or found.__doc__  # an app, or a function
    assert isinstance(about, str)
    assert about.strip().splitlines()[0] == LAZY[place]


def test_the_program_starts_without_scip() -> None:
    code = "import sys, milplib.cli.app; print({'pyscipopt', 'scipy', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("set()\n", "")


def test_the_extras_are_those_of_the_project() -> None:
    project = tomllib.loads(PROJECT.read_text())["project"]
    listed = project["optional-dependencies"]
    found = {extra.name: len(extra.packages) for extra in extras()}
    assert found == {
        name: len(packages) for name, packages in listed.items() if name not in ("all", "dev")
    }
    assert len(core_packages()) == len(project["dependencies"])


@pytest.mark.slow
def test_doctor_lists_every_missing_extra_with_its_command() -> None:
    # Requirements as the metadata states them, of packages that are not there.
    script = (
        "import sys\nimport milplib.cli.system as system\n"
        "from milplib.cli.requirements import extras\n"
        "found = extras(['numpy', \"no-such-a>=1; extra == 'one'\", "
        "\"no-such-b; extra == 'one'\", \"no-such-c; extra == 'two'\", "
        "\"numpy; extra == 'three'\", \"milplib[one,two,three]; extra == 'all'\"])\n"
        "system.extras = lambda: found\n"
        "from milplib.cli import main\nmain(sys.argv[1:])\n"
    )
    command = [sys.executable, "-c", script, "doctor"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("missing: no-such")]
    assert lines == [
        "missing: no-such-a, no-such-b (extra one): pip install 'milplib[one]' to use it",
        "missing: no-such-c (extra two): pip install 'milplib[two]' to use it",
    ]
    assert "no-such-a  " in done.stdout
    done = subprocess.run([*command, "--json"], capture_output=True, text=True)
    findings = json.loads(done.stdout)["findings"]
    assert [f["extra"] for f in findings if "extra" in f] == ["one", "two"]


def test_an_extra_lacks_only_what_is_not_installed() -> None:
    assert Extra(name="x", packages=("numpy", "no-such-package")).missing == ("no-such-package",)
    assert Extra(name="x", packages=("numpy",)).missing == ()


def test_collect_without_a_sample_says_so_and_exits_with_1(tmp_path: Path) -> None:
    (tmp_path / "ca").mkdir()
    CombinatorialAuction(n_items=4, n_bids=8).generate(0).write(tmp_path / "ca" / "easy.lp")
    arguments = ["collect", tmp_path / "ca", "--out", tmp_path / "s", "--max-episodes", 1]
    for _ in range(2):  # when it collects, and when it finds the collection complete
        done = run(*arguments)
        assert done.returncode == 1
        assert done.stdout.startswith("0 samples of 1 instances (1 none)")
        (line,) = done.stderr.splitlines()
        assert line.startswith("milplib: no samples: SCIP solved every instance before")
        assert "--expert-probability" in line
    done = run("samples", "inspect", tmp_path / "s")
    assert (done.returncode, done.stderr) == (0, "")
