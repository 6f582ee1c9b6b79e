"""The table of SCIP's versions, and what is read of other ones."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pyscipopt
import pytest
from narrowing import present
from packaging.requirements import Requirement

from milplib.errors import PolicyError, SampleError
from milplib.learn.samples.schema import SampleSchema
from milplib.policies import pretrained_file, pretrained_names, read_policy, write_policy
from milplib.scip import versions
from milplib.scip.versions import SUPPORTED, is_compatible, scip_version, supported_scip

ROOT = Path(__file__).parents[2]


def test_what_is_installed_and_what_is_pinned_are_in_the_table() -> None:
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    (wanted,) = (
        requirement
        for requirement in map(Requirement, dependencies)
        if requirement.name == "pyscipopt"
    )
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    (pinned,) = (line.split("==")[1] for line in pins if line.startswith("pyscipopt=="))
    supported = supported_scip()
    assert supported is not None
    in_table = Requirement(f"pyscipopt{supported.pyscipopt}").specifier
    for version in (pinned, pyscipopt.__version__):
        assert in_table.contains(version)
        assert wanted.specifier.contains(version)


def test_constants_are_those_that_pyscipopt_has() -> None:
    native = present(supported_scip()).native
    assert native.stage_solving == pyscipopt.SCIP_STAGE.SOLVING
    assert native.lp_optimal == pyscipopt.SCIP_LPSOLSTAT.OPTIMAL
    assert native.branch_down == pyscipopt.SCIP_BRANCHDIR.DOWNWARDS
    assert native.branch_up == pyscipopt.SCIP_BRANCHDIR.UPWARDS


def test_policies_and_samples_of_another_major_version_are_read_if_the_table_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "older.safetensors"
    policy = read_policy(pretrained_file(pretrained_names()[0]))
    write_policy(path, replace(policy, scip_major=9))
    schema = {**SampleSchema().as_json(), "scip_major": 9}
    with pytest.raises(PolicyError, match="scip major 9"):
        read_policy(path)
    with pytest.raises(SampleError, match="SCIP major version 9"):
        SampleSchema.from_json(schema, where="samples")

    entry = replace(SUPPORTED[10], compatible_majors=(9,))
    monkeypatch.setitem(versions.SUPPORTED, 10, entry)

    assert is_compatible(9)
    assert read_policy(path).scip_major == 9
    assert SampleSchema.from_json(schema, where="samples").scip_major == 9


@pytest.mark.slow
@pytest.mark.parametrize(("ci", "outcome"), [("", "1 skipped"), ("1", "1 error")])
def test_a_parity_test_for_another_version_skips_and_fails_in_ci(
    ci: str, outcome: str, tmp_path: Path
) -> None:
    file = tmp_path / "test_parity.py"
    file.write_text(
        "import pytest\n@pytest.mark.recorded_on('9.0.0')\ndef test_that_it_is_equal(): pass\n"
    )
    environment = {key: value for key, value in os.environ.items() if key != "CI"}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # they take long to import
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c"]
    done = subprocess.run(
        [*command, ROOT / "pyproject.toml", "-p", "conftest", file],
        cwd=tmp_path,
        env=environment | ({"CI": ci} if ci else {}) | {"PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome in done.stdout, done.stdout + done.stderr
    assert f"recorded on SCIP 9.0.0, and this is SCIP {scip_version()}" in done.stdout
    assert done.returncode == bool(ci)
