"""Reader of graphs in the text format of the DIMACS challenges on cliques and colouring."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from milplib.arguments import checked
from milplib.errors import InstanceError

__all__ = ["DimacsGraph", "read_dimacs"]

_GZIP = b"\x1f\x8b"
_EDGE = re.compile(rb"^[ \t]*e[ \t]+(\d{1,10})[ \t]+(\d{1,10})[ \t]*\r?$", re.MULTILINE)
_HEADER = re.compile(rb"p\s+(edge|edges|col)\s+(\d{1,10})\s+(\d{1,18})")
_PASSED_OVER = (b"n", b"d", b"v", b"x")  # lines about node weights and the graph's generator
_MOST_NODES = 2**31 - 1


@dataclass(frozen=True, kw_only=True, eq=False)
class DimacsGraph:
    """A graph from a DIMACS file.

    Parameters
    ----------
    n_nodes
        Number of nodes, including isolated ones.
    edges
        Distinct edges (u, v) with u < v in lexicographic order; nodes are numbered from 0. Shape
        (number of edges, 2), int64.
    sha256
        SHA-256 of the uncompressed text, as 64 hexadecimal digits.
    """

    n_nodes: int
    edges: npt.NDArray[np.int64]
    sha256: str


@checked
def read_dimacs(path: str | os.PathLike[str]) -> DimacsGraph:
    r"""Read a graph from a DIMACS file (``.clq``, ``.col``), plain or compressed by gzip.

    The text has comments (``c …``), one header ``p edge NODES EDGES`` (or ``p col``), and a line
    ``e U V`` for every edge, with nodes from 1 to NODES. Lines about node weights and the graph's
    generator (``n``, ``d``, ``v``, ``x``) are ignored.

    The graph is simple: a repeated edge, in any direction, counts once, and loops ``e U U`` are
    dropped. The meaning of EDGES differs between files. It must be the number of lines ``e``, the
    number of distinct edges (including loops), or twice that number; otherwise the file counts as
    truncated.

    Parameters
    ----------
    path
        Path of the file. Compression is detected from the first bytes.

    Raises
    ------
    InstanceError
        If the file is missing, unreadable, binary (``.clq.b``), damaged or truncated; if it does
        not have exactly one header; or if a line is malformed, precedes the header, or names an
        unknown node. The message names the line.

    References
    ----------
    D. S. Johnson, M. A. Trick, eds. (1996). Cliques, coloring, and satisfiability: second DIMACS
    implementation challenge. DIMACS Series in Discrete Mathematics and Theoretical Computer
    Science 26.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "path.clq"
    >>> _ = path.write_text("c three nodes in a row\np edge 3 2\ne 2 1\ne 3 2\n")
    >>> graph = read_dimacs(path)
    >>> graph.n_nodes, graph.edges.tolist()
    (3, [[0, 1], [1, 2]])
    """
    text = _text(path)
    try:
        n_nodes, n_promised = _header(text)
        edges = _edges(text, n_nodes, n_promised)
    except InstanceError as error:
        raise InstanceError(f"cannot read {os.fspath(path)}: {error}") from error
    return DimacsGraph(n_nodes=n_nodes, edges=edges, sha256=hashlib.sha256(text).hexdigest())


def _text(path: str | os.PathLike[str]) -> bytes:
    where = f"cannot read {os.fspath(path)}"
    try:
        with open(path, "rb") as stream:
            content = stream.read()
        if content.startswith(_GZIP):
            content = gzip.decompress(content)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InstanceError(f"{where}: its compression is damaged or cut off: {error}") from error
    except OSError as error:
        raise InstanceError(f"{where}: {error.strerror or error}") from error
    if b"\0" in content:
        raise InstanceError(f"{where}: it is binary; convert it to the text form of DIMACS first")
    return content


def _header(text: bytes) -> tuple[int, int]:
    """Return the numbers of nodes and edges in the header; refuse malformed lines."""
    header: re.Match[bytes] | None = None
    # Only the text of edge lines is removed, so that line numbers stay valid.
    for number, line in enumerate(_EDGE.sub(b"", text).split(b"\n"), start=1):
        words = line.split()
        if not words or words[0].startswith(b"c") or words[0] in _PASSED_OVER:
            continue
        if words[0] != b"p":
            raise InstanceError(f"line {number} is {_shown(line)}, expected 'e U V' or a comment")
        if header:
            raise InstanceError(f"line {number} is a second header, {_shown(line)}")
        header = _HEADER.fullmatch(line.strip())
        if not header:
            raise InstanceError(
                f"the header in line {number} is {_shown(line)}, expected 'p edge NODES EDGES'"
            )
        first = _EDGE.search(text)
        if first and _line_of(text, first) < number:
            raise InstanceError(f"line {_line_of(text, first)} is an edge before the header")
        if not 1 <= int(header[2]) <= _MOST_NODES:
            raise InstanceError(
                f"the header in line {number} has {int(header[2])} nodes, "
                f"expected 1 to {_MOST_NODES}"
            )
    if not header:
        raise InstanceError("it has no header 'p edge NODES EDGES'")
    return int(header[2]), int(header[3])


def _edges(text: bytes, n_nodes: int, n_promised: int) -> npt.NDArray[np.int64]:
    listed = np.array(_EDGE.findall(text), dtype="S10").astype(np.int64).reshape(-1, 2)
    outside = (listed < 1) | (listed > n_nodes)
    if outside.any():
        wrong = int(outside.any(axis=1).argmax())
        line = next(match for at, match in enumerate(_EDGE.finditer(text)) if at == wrong)
        raise InstanceError(
            f"line {_line_of(text, line)} is {_shown(line[0])}, but nodes are numbered from 1 to "
            f"{n_nodes}"
        )
    ends = np.sort(listed - 1, axis=1)
    different = np.unique(ends[:, 0] * n_nodes + ends[:, 1])  # much faster than unique pairs
    if n_promised not in (len(listed), len(different), 2 * len(different)):
        raise InstanceError(
            f"the header promises {n_promised} edges, but there are {len(listed)}: "
            "it may be cut off"
        )
    lower, higher = np.divmod(different, n_nodes)
    edges: npt.NDArray[np.int64] = np.column_stack((lower, higher))[lower != higher]
    return edges


def _line_of(text: bytes, match: re.Match[bytes]) -> int:
    return text.count(b"\n", 0, match.start()) + 1


def _shown(line: bytes) -> str:
    text = line.strip().decode(errors="replace")
    return repr(text if len(text) <= 60 else f"{text[:60]}…")
