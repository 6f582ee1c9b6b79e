"""Resumable downloads with the Hugging Face Hub's client."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from milplib.errors import (
    MilplibError,
    MissingPackageError,
    OutputError,
    SourceError,
    SourceUnavailableError,
)
from milplib.files import make_folder
from milplib.library.sources.base import OnBytes

__all__ = ["Remote", "download", "find_remote"]

_PARTIAL_CONTENT = 206
_TIMEOUT = 30.0  # seconds without data
_ATTEMPTS = 5  # consecutive attempts without data
_SECONDS_BETWEEN_ATTEMPTS = 1.0
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Remote:
    """A file on a server.

    Parameters
    ----------
    url
        URL of the file.
    size
        Size in bytes; None if unknown.
    version
        ETag of the server; empty if unknown.
    token
        Whether to send the user's token for the Hub to this server.
    """

    url: str
    size: int | None
    version: str
    token: bool

    @property
    def sha256(self) -> str:
        """SHA-256 from the server; empty if unknown."""
        return self.version if _SHA256.fullmatch(self.version) else ""


def find_remote(url: str, *, token: bool = False) -> Remote | None:
    """Ask a server for a file; return None if the server does not have it.

    Parameters
    ----------
    url
        URL of the file.
    token
        Whether to send the user's token for the Hub, if any.

    Raises
    ------
    SourceUnavailableError
        If the server cannot be reached, or refuses the request.
    MissingPackageError
        If the extra ``fetch`` is not installed.
    """
    hub = _hub()
    try:
        metadata = hub.get_hf_file_metadata(url, token=None if token else False)
    except hub.errors.HfHubHTTPError as error:
        status = error.response.status_code
        if status == 404:
            return None
        if status in (405, 501):  # the server does not support HEAD
            return Remote(url, None, "", token)
        raise SourceUnavailableError(
            f"{url} is refused by its server (HTTP status {status})"
        ) from error
    except OSError as error:
        raise SourceUnavailableError(f"cannot reach {url}: {error}") from error
    except Exception as error:  # the client's transport errors differ between versions
        raise SourceUnavailableError(
            f"cannot reach {url}: {error or type(error).__name__}"
        ) from error
    same_host = urlsplit(metadata.location).netloc in ("", urlsplit(url).netloc)
    return Remote(url, metadata.size, metadata.etag or "", token and same_host)


def download(
    remote: Remote, target: Path, *, on_bytes: OnBytes = lambda done, total, name: None
) -> None:
    """Download a file, or resume an interrupted download.

    The name of an incomplete file is that of `target` with ``.part``. Two processes must not
    download the same file at the same time.

    Parameters
    ----------
    remote
        File to download.
    target
        Path to write to.
    on_bytes
        Called as the file grows.

    Raises
    ------
    SourceError
        If the connection breaks and retries fail.
    OutputError
        If the file cannot be written, or the disk has too little space.
    """
    hub = _hub()
    make_folder(target.parent)
    part = _part(remote, target)
    try:
        with open(part, "ab", opener=_opened) as stream:
            begun = stream.tell()
            if remote.size is not None and begun > remote.size:
                stream.truncate(0)
                begun = 0
            _check_room(target, (remote.size or 0) - begun)
            _receive_all(hub, remote, stream, lambda done: on_bytes(done, remote.size, target.name))
            os.fsync(stream.fileno())
        os.replace(part, target)
    except OSError as error:
        raise OutputError(f"cannot write {part}: {error.strerror or error}") from error


def _receive_all(
    hub: _hub, remote: Remote, stream: BinaryIO, on_size: Callable[[int], None]
) -> None:
    """Append the missing bytes; retry after breaks until several attempts bring no data."""
    failures = 0
    while (size := stream.tell()) != remote.size:
        try:
            _receive(hub, remote, stream, on_size)
            if remote.size in (None, stream.tell()):
                return
            problem = f"{stream.tell()} bytes came instead of {remote.size}"
        except (MilplibError, OSError):
            raise
        except Exception as error:  # the client's transport errors differ between versions
            problem = str(error) or type(error).__name__
        failures = 0 if stream.tell() > size else failures + 1
        if failures >= _ATTEMPTS or remote.size is None:
            raise SourceError(
                f"the download of {remote.url} was cut off: {problem}; {size / 1e6:.1f} MB are "
                "kept: the same command goes on from there"
            )
        time.sleep(_SECONDS_BETWEEN_ATTEMPTS)


def _receive(hub: _hub, remote: Remote, stream: BinaryIO, on_size: Callable[[int], None]) -> None:
    """Append the bytes of a single response to a file."""
    # The client's own download writes chunks of 10 MB and loses one at every break.
    headers = hub.utils.build_hf_headers(token=None if remote.token else False)
    headers["Accept-Encoding"] = "identity"
    if begun := stream.tell():
        headers["Range"] = f"bytes={begun}-"
    with hub.utils.http_stream_backoff(
        "GET", remote.url, headers=headers, timeout=_TIMEOUT, retry_on_exceptions=()
    ) as response:
        hub.utils.hf_raise_for_status(response)
        if begun and response.status_code != _PARTIAL_CONTENT:
            stream.truncate(0)  # the server ignores ranges and sends the whole file
        for piece in response.iter_bytes():
            stream.write(piece)
            on_size(stream.tell())
        stream.flush()


def _part(remote: Remote, target: Path) -> Path:
    """Return the path of the incomplete file, and remove those of other versions."""
    mark = re.sub("[^0-9A-Za-z]", "", remote.version)[:16] or "unknown"
    part = target.with_name(f"{target.name}.{mark}.part")
    for other in target.parent.glob(f"{target.name}.*.part"):
        if other != part:
            other.unlink(missing_ok=True)
    return part


def _opened(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o666)


def _check_room(target: Path, needed: int) -> None:
    free = shutil.disk_usage(target.parent).free
    if needed > free:
        raise OutputError(
            f"there is no room for {target}: it needs {needed / 1e6:,.0f} MB more, and "
            f"{free / 1e6:,.0f} MB are free"
        )


class _hub:  # noqa: N801  # stands for a module
    """Lazily imported parts of huggingface_hub."""

    def __init__(self) -> None:
        try:
            from huggingface_hub import errors, get_hf_file_metadata, utils
        except ImportError as error:
            raise MissingPackageError(
                "fetching needs huggingface_hub, which is not installed: "
                "pip install 'milplib[fetch]'"
            ) from error
        self.errors = errors
        self.get_hf_file_metadata = get_hf_file_metadata
        self.utils: Any = utils  # its stubs do not export the names used here
