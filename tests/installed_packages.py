"""Packages that a test installs: a module and its entry points in a folder on the path."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator

import pytest

InstallPackage = Callable[..., None]


@pytest.fixture
def install_package(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[InstallPackage]:
    """Install a package of one module for the length of a test.

    Called with the module's name and source, and its entry points by group: a dict of names and
    attributes of the module.
    """
    installed = []

    def install(name: str, source: str, **groups: dict[str, str]) -> None:
        folder = tmp_path_factory.mktemp(name)
        (folder / f"{name}.py").write_text(textwrap.dedent(source))
        metadata = folder / f"{name}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = []
        for group, points in groups.items():
            lines.append(f"[milplib.{group}]")
            lines += [f"{point} = {name}:{attribute}" for point, attribute in points.items()]
        (metadata / "entry_points.txt").write_text("\n".join(lines))
        monkeypatch.syspath_prepend(folder)
        installed.append(name)

    yield install
    for name in installed:
        sys.modules.pop(name, None)
