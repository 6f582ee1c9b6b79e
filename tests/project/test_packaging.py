"""What `pip install` puts where: the package list, the wheel, the environment's pins."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

FOLDERS = ("milplib", "generators", "learn")


def _installed_path(path: Path) -> Path:
    """Where a file of the checkout's packages is installed, below site-packages."""
    return path if path.parts[0] == "milplib" else Path("milplib", path)


def test_every_folder_of_modules_is_a_listed_package(root: Path, pyproject: dict[str, Any]) -> None:
    folders = {
        path.parent.relative_to(root)
        for folder in FOLDERS
        for path in (root / folder).rglob("*.py")
    }

    assert all((root / folder / "__init__.py").is_file() for folder in folders)
    names = {".".join(_installed_path(folder).parts) for folder in folders}
    assert set(pyproject["tool"]["setuptools"]["packages"]) == names


def test_every_native_source_is_listed(root: Path, pyproject: dict[str, Any]) -> None:
    (extension,) = pyproject["tool"]["setuptools"]["ext-modules"]
    files = {path.relative_to(root).as_posix() for path in (root / "native").iterdir()}

    assert extension["name"] == "milplib._native"
    assert extension["optional"]
    assert extension["sources"] == sorted(name for name in files if name.endswith(".cpp"))
    assert extension["depends"] == sorted(name for name in files if not name.endswith(".cpp"))


def test_no_name_of_an_extra_is_missing_in_all(pyproject: dict[str, Any]) -> None:
    extras = pyproject["project"]["optional-dependencies"]
    (everything,) = (Requirement(text) for text in extras["all"])

    assert everything.name == "milplib"
    assert everything.extras == set(extras) - {"all", "dev"}


def _constraints(root: Path) -> dict[str, Version]:
    lines = (root / "constraints.txt").read_text().splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    assert all(len(pin) == 2 for pin in pins)
    return {canonicalize_name(name): Version(version) for name, version in pins}


def _requirements(pyproject: dict[str, Any]) -> Iterator[Requirement]:
    project = pyproject["project"]
    for texts in (project["dependencies"], *project["optional-dependencies"].values()):
        requirements = (Requirement(text) for text in texts)
        yield from (requirement for requirement in requirements if requirement.name != "milplib")


def test_every_dependency_has_a_pin_inside_its_range(root: Path, pyproject: dict[str, Any]) -> None:
    pins = _constraints(root)
    for requirement in _requirements(pyproject):
        name = canonicalize_name(requirement.name)
        assert name in pins, f"constraints.txt has no pin of {requirement}"
        assert requirement.specifier.contains(pins[name]), requirement


def test_pyproject_holds_ranges_not_pins(pyproject: dict[str, Any]) -> None:
    operators = {spec.operator for found in _requirements(pyproject) for spec in found.specifier}

    assert operators <= {">=", "<"}


def test_all_that_a_dependency_asks_for_is_pinned(root: Path, pyproject: dict[str, Any]) -> None:
    pins = _constraints(root)
    pending = [(found.name, found.extras) for found in _requirements(pyproject)]
    seen = set()
    while pending:
        name, extras = pending.pop()
        name = canonicalize_name(name)
        if name in seen:
            continue
        seen.add(name)
        try:
            texts = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # of an extra that is not installed here
        for requirement in map(Requirement, texts):
            environments = [{"extra": extra} for extra in ("", *extras)]
            marker = requirement.marker
            if marker is None or any(marker.evaluate(each) for each in environments):
                pending.append((requirement.name, requirement.extras))

    assert seen <= set(pins) | _names_of_extras_not_pinned()


def _names_of_extras_not_pinned() -> set[str]:
    # torch's builds for a GPU ask for CUDA's libraries and pin them themselves
    requires = metadata.requires("torch") or [] if _is_installed("torch") else []
    names = {canonicalize_name(Requirement(text).name) for text in requires}
    return {name for name in names if re.match(r"nvidia-|cuda-|triton$", name)}


def _is_installed(name: str) -> bool:
    return any(metadata.distributions(name=name))


@pytest.fixture(scope="module")
def wheel(
    committed_tree: Path,
    tmp_path_factory: pytest.TempPathFactory,
    run: Callable[..., subprocess.CompletedProcess[str]],
) -> Path:
    """The wheel made of the source distribution made of the commit."""
    folder = tmp_path_factory.mktemp("dist")
    run(
        *(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, committed_tree),
        cwd=folder,
    )
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def elsewhere(
    wheel: Path,
    tmp_path_factory: pytest.TempPathFactory,
    run: Callable[..., subprocess.CompletedProcess[str]],
) -> Path:
    """A fresh environment that holds the wheel, and sees this one's dependencies."""
    folder = tmp_path_factory.mktemp("elsewhere") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    run(
        *(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index"),
        *("--no-deps", "--disable-pip-version-check", wheel),
        cwd=folder,
    )
    # A path in a .pth file does not make Python read the .pth files there, so the checkout's
    # editable install stays out of sight.
    here = {sysconfig.get_path(key) for key in ("purelib", "platlib")}
    (_site_packages(folder) / "dependencies.pth").write_text("\n".join(sorted(here)) + "\n")
    return folder


def _site_packages(environment: Path) -> Path:
    (found,) = environment.glob("lib/python*/site-packages")
    return found


EXTENSION = "milplib/_native.abi3.so"


@pytest.mark.slow
def test_the_wheel_holds_every_committed_file_of_the_packages_and_the_extension(
    wheel: Path, committed_tree: Path
) -> None:
    committed = {
        _installed_path(path.relative_to(committed_tree)).as_posix()
        for folder in FOLDERS
        for path in (committed_tree / folder).rglob("*")
        if path.is_file() and path.name != "README.md"  # for those who read the sources
    }
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert "milplib/py.typed" in names
    assert names == committed | {EXTENSION}


@pytest.mark.slow
def test_one_wheel_serves_every_python_of_the_limited_api(wheel: Path) -> None:
    assert "-cp311-abi3-" in wheel.name


@pytest.mark.slow
def test_the_installed_extension_is_in_use_elsewhere(
    elsewhere: Path, run: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    command = (elsewhere / "bin" / "milplib", "doctor", "--json")
    report = json.loads(run(*command, cwd=tmp_path, MILPLIB_NATIVE="1").stdout)

    assert report["healthy"]
    assert report["extraction"].startswith("native: ")
    assert "tested against the pure path" in report["extraction"]


@pytest.mark.slow
def test_every_module_of_the_wheel_imports_elsewhere(
    elsewhere: Path, run: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    site_packages = _site_packages(elsewhere)
    modules = [
        ".".join(path.relative_to(site_packages).with_suffix("").parts)
        for path in sorted((site_packages / "milplib").rglob("*.py"))
        if path.name != "__main__.py"
    ]
    assert "milplib.generators.__init__" in modules
    imports = "\n".join(f"import {module.removesuffix('.__init__')}" for module in modules)
    where = "import milplib; print(milplib.__file__)"

    done = run(elsewhere / "bin" / "python", "-I", "-c", f"{imports}\n{where}", cwd=tmp_path)

    assert done.stdout.splitlines()[-1] == str(site_packages / "milplib" / "__init__.py")


@pytest.mark.slow
def test_the_wheel_takes_no_name_but_milplib(elsewhere: Path) -> None:
    names = {path.name for path in _site_packages(elsewhere).iterdir()}
    others = {name for name in names if not re.match(r"milplib(-[\d.]+\.dist-info)?$", name)}

    assert others == {"dependencies.pth"}


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["doctor"]])
def test_the_installed_command_runs_elsewhere(
    elsewhere: Path,
    run: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
    arguments: list[str],
) -> None:
    done = run(elsewhere / "bin" / "milplib", *arguments, cwd=tmp_path)

    assert done.stdout.strip()


@pytest.mark.slow
def test_a_broken_compiler_does_not_fail_the_install_and_doctor_tells(
    committed_tree: Path, tmp_path: Path, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    site = tmp_path / "site"
    run(
        *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"),
        *("--no-build-isolation", "--disable-pip-version-check", "--target", site),
        committed_tree,
        cwd=tmp_path,
        CC="false",
        CXX="false",
    )
    assert (site / "milplib" / "generators" / "__init__.py").is_file()
    assert not (site / EXTENSION).exists()

    # Without the .pth files of this environment (-S), the checkout stays out of sight.
    paths = [str(site), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    doctor = (sys.executable, "-S", "-P", "-m", "milplib.cli", "doctor", "--json")
    environment: dict[str, Any] = {"PYTHONPATH": os.pathsep.join(paths), "MILPLIB_NATIVE": ""}
    report = json.loads(_last_object(run(*doctor, cwd=tmp_path, **environment).stdout))

    assert report["healthy"]
    assert report["extraction"] == "pure Python through PySCIPOpt: the native code was not built"
    (finding,) = (f for f in report["findings"] if f["missing"] == "the native code")
    assert "install a C++17 compiler" in finding["mend"]

    done = run(*doctor, cwd=tmp_path, check=False, **environment | {"MILPLIB_NATIVE": "1"})
    assert done.returncode == 1
    assert not json.loads(_last_object(done.stdout))["healthy"]


def _last_object(output: str) -> str:
    """JSON behind what was logged."""
    return output[output.index("{") :]
