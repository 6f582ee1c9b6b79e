"""The native code is loaded, switched off, or replaced by the pure path, and says so."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from milplib.scip.native import native_status

needs_native = pytest.mark.skipif(native_status().module is None, reason=native_status().reason)


def run(code: Any, *, check: bool = True, site: Any = None, **variables: Any) -> Any:
    """Run Python in a process of its own, with milplib from another folder if one is given."""
    environment = {key: value for key, value in os.environ.items() if "MILPLIB_NATIVE" not in key}
    options = ["-P"]
    if site is not None:
        # Without the .pth files of the environment, an editable install stays out of sight.
        options.append("-S")
        paths = [str(site), *(sysconfig.get_path(key) for key in ("purelib", "platlib"))]
        environment["PYTHONPATH"] = os.pathsep.join(paths)
    return subprocess.run(
        [sys.executable, *options, "-c", code],
        env=environment | variables,
        capture_output=True,
        text=True,
        check=check,
    )


STATUS = "from milplib.scip.native import native_status; print(native_status().extraction)"


def test_zero_switches_the_native_code_off_and_says_nothing() -> None:
    done = run(STATUS, MILPLIB_NATIVE="0")
    assert done.stdout.startswith("pure Python")
    assert done.stderr == ""


def test_another_value_is_refused() -> None:
    done = run(STATUS, MILPLIB_NATIVE="yes", check=False)
    assert "ParameterError: MILPLIB_NATIVE is 'yes'" in done.stderr


@needs_native
def test_an_unknown_instruction_set_is_refused() -> None:
    code = "from milplib.scip.native import forced_level as f; print(f())"
    assert run(code, MILPLIB_NATIVE_LEVEL="baseline").stdout == "baseline\n"
    done = run(code, MILPLIB_NATIVE_LEVEL="mmx", check=False)
    assert "MILPLIB_NATIVE_LEVEL is 'mmx'; this processor has" in done.stderr


SOLVE = """
import milplib, logging
from milplib.scip.self_test import self_test
logging.basicConfig(format="LOGGED %(message)s")
from milplib.scip.native import native_status
self_test()
print(native_status().extraction)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages as they install, without the extension module."""
    site = tmp_path_factory.mktemp("site")
    root = Path(__file__).parents[2]
    hidden = shutil.ignore_patterns("*.so", "__pycache__")
    shutil.copytree(root / "milplib", site / "milplib", ignore=hidden)
    for name in ("generators", "learn"):
        shutil.copytree(root / name, site / "milplib" / name, ignore=hidden)
    return site


def test_without_the_native_code_the_pure_path_serves_and_says_so_once(installed: Path) -> None:
    done = run(SOLVE, site=installed)
    assert done.stdout == "pure Python through PySCIPOpt: the native code was not built\n"
    assert done.stderr.count("LOGGED") == 1
    assert "C++17 compiler" in done.stderr


def test_without_the_native_code_one_makes_it_an_error(installed: Path) -> None:
    done = run(SOLVE, site=installed, MILPLIB_NATIVE="1", check=False)
    assert done.returncode != 0
    assert "NativeError: MILPLIB_NATIVE=1, but the native code was not built" in done.stderr


@pytest.mark.slow
def test_doctor_tells_the_fallback_and_its_mend(installed: Path) -> None:
    code = "from milplib.cli import main; import sys; sys.argv[1:] = ['doctor', '--json']; main()"
    report = json.loads(run(code, site=installed).stdout)
    assert report["healthy"]
    assert report["extraction"].startswith("pure Python")
    assert {"the native code"} == {
        finding["missing"] for finding in report["findings"] if "compiler" in finding["mend"]
    }
    done = run(code, site=installed, MILPLIB_NATIVE="1", check=False)
    assert done.returncode == 1
    assert not json.loads(done.stdout)["healthy"]


def test_a_binary_that_does_not_load_is_told(installed: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    shutil.copytree(installed, site)
    (site / "milplib" / "_native.abi3.so").write_bytes(b"\x7fELF and nothing else")
    done = run(SOLVE, site=site)
    assert "the native code does not load: ImportError" in done.stdout
    assert done.stderr.count("LOGGED") == 1


DIFFERENT = """
import sys
from milplib.scip import native
status = native.native_status()
native._tested = None

class Off:
    # the real module, with its pseudocosts turned to zero
    def __getattr__(self, name):
        return getattr(status.module, name)
    def pseudocosts(self, capsule):
        return bytearray(len(status.module.pseudocosts(capsule)))

import dataclasses
native._loaded = lambda: dataclasses.replace(status, module=Off())
"""


@needs_native
def test_a_native_path_with_other_numbers_is_not_used() -> None:
    done = run(DIFFERENT + SOLVE)
    assert "failed its test: its pseudocosts are not those of the pure path" in done.stdout
    assert done.stderr.count("LOGGED") == 1
    done = run(DIFFERENT + SOLVE, MILPLIB_NATIVE="1", check=False)
    assert "NativeError" in done.stderr


@needs_native
def test_nothing_is_read_before_the_constants_of_the_version_are_known() -> None:
    done = run(
        "import milplib._native as native, pyscipopt\n"
        "native.bind(pyscipopt.scip.__file__)\n"
        "model = pyscipopt.Model()\n"
        "try: native.extract(model.to_ptr(False), True)\n"
        "except native.ScipError as error: print(error)\n"
    )
    assert "bind" in done.stdout
