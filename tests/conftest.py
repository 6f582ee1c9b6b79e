"""What all tests share: the real instances' folder, and how hypothesis draws."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from milplib.scip.versions import scip_version

pytest_plugins = ["installed_packages", "planted_results"]

# A fixed draw in CI, so that a failure there is the change's own; elsewhere a new one each time.
hypothesis.settings.register_profile("default", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "default")

# A shell's background job ignores Ctrl-C, and so would every process that the tests start: those
# that send one would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Hold parity tests to the version of SCIP that they were recorded on."""
    for marker in item.iter_markers("recorded_on"):
        (recorded,) = marker.args
        if scip_version() != recorded:
            reason = f"recorded on SCIP {recorded}, and this is SCIP {scip_version()}"
            if os.environ.get("CI"):
                pytest.fail(f"{reason}: record anew, or install that version", pytrace=False)
            pytest.skip(reason)


@pytest.fixture(scope="session", autouse=True)
def _cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep tests, and the commands they start, from the user's cache and from progress lines."""
    with pytest.MonkeyPatch.context() as patch:
        # On a busy machine, a command of a test may outlast the interval between two lines.
        patch.setenv("MILPLIB_PROGRESS_SECONDS", "0")
        patch.setenv("MILPLIB_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real instances and recorded arrays that MILPLIB_TEST_DATA names."""
    named = os.environ.get("MILPLIB_TEST_DATA")
    if not named:
        pytest.skip("MILPLIB_TEST_DATA is unset: it names the folder of real instances")
    folder = Path(named)
    if not folder.is_dir():
        pytest.fail(f"MILPLIB_TEST_DATA names {folder}, which is no folder")
    return folder


def pytest_collection_finish() -> None:
    """Leave what imports and collection have made out of every garbage collection that follows."""
    gc.collect()
    gc.freeze()
