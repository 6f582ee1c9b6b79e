from __future__ import annotations

import gzip
import hashlib
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from milplib.errors import InstanceError
from milplib.generators.dimacs import DimacsGraph, read_dimacs
from milplib.generators.independent_set import independent_set

from .test_optima import optimum_by_scip

TRIANGLE = "c a triangle and a node beside it\np edge 4 3\ne 2 1\ne 3 1\ne 3 2\n"
PACKED = gzip.compress(TRIANGLE.encode(), mtime=0)

# Nodes and edges as the challenge's own headers count them.
REAL = {
    "C125.9.clq.gz": (125, 6963),
    "brock200_2.clq.gz": (200, 9876),
    "hamming8-4.clq.gz": (256, 20864),
    "keller4.clq.gz": (171, 9435),
    "p_hat300-1.clq.gz": (300, 10933),
}


def read_text(folder: Path, text: bytes | str, name: str = "graph.clq") -> DimacsGraph:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_dimacs(path)


@pytest.mark.parametrize("name", REAL)
def test_real_graphs_have_the_edges_that_their_lines_say(test_data: Path, name: str) -> None:
    graph = read_dimacs(test_data / "dimacs" / name)
    text = gzip.decompress((test_data / "dimacs" / name).read_bytes())
    ends = [line.split()[1:] for line in text.decode().splitlines() if line.startswith("e")]
    assert (graph.n_nodes, len(graph.edges)) == REAL[name]
    assert graph.edges.tolist() == sorted(sorted(int(node) - 1 for node in edge) for edge in ends)
    assert graph.sha256 == hashlib.sha256(text).hexdigest()


def test_the_hamming_graph_joins_words_at_a_distance_of_4_or_more(test_data: Path) -> None:
    graph = read_dimacs(test_data / "dimacs" / "hamming8-4.clq.gz")
    expected = [(u, v) for u in range(256) for v in range(u + 1, 256) if (u ^ v).bit_count() >= 4]
    assert list(map(tuple, graph.edges.tolist())) == expected


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Any, ...]:
    n_nodes = draw(st.integers(1, 12))
    nodes = st.integers(0, n_nodes - 1)
    return n_nodes, draw(st.lists(st.tuples(nodes, nodes)))


@given(graphs(), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_edges_come_once_without_loops_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, graph: tuple[Any, ...], newline: str, compressed: bool
) -> None:
    n_nodes, edges = graph
    lines = [f"p col {n_nodes} {len(edges)}", *(f"e {u + 1}  {v + 1} " for u, v in edges)]
    text = newline.join(lines).encode()
    found = read_text(tmp_path_factory.mktemp("graph"), gzip.compress(text) if compressed else text)
    expected = sorted({(min(edge), max(edge)) for edge in edges if edge[0] != edge[1]})
    assert list(map(tuple, found.edges.tolist())) == expected
    assert found.edges.shape == (len(expected), 2)
    assert found.edges.dtype == np.int64
    assert (found.n_nodes, found.sha256) == (n_nodes, hashlib.sha256(text).hexdigest())


@pytest.mark.parametrize(
    "lines",
    [
        "p edge 3 4\ne 1 2\ne 2 1\ne 2 3\ne 3 2",
        "p edge 3 2\ne 1 2\ne 2 1\ne 2 3\ne 3 2",
        "p edge 3 4\ne 1 2\ne 2 3",
    ],
    ids=["lines in both directions", "edges of both directions", "one line, counted twice"],
)
def test_headers_may_count_edges_once_or_twice(tmp_path: Path, lines: str) -> None:
    assert read_text(tmp_path, lines).edges.tolist() == [[0, 1], [1, 2]]


def test_lines_of_weights_and_of_the_making_are_passed_over(tmp_path: Path) -> None:
    text = "c\nc p edge 9 9\n\np col 3 1\nd 2\nv 1 2\nx 5\nn 1 7\ncomment\ne 1 3"
    graph = read_text(tmp_path, text, "graph.col")
    assert (graph.n_nodes, graph.edges.tolist()) == (3, [[0, 2]])


def test_the_name_of_a_file_does_not_say_whether_it_is_compressed(tmp_path: Path) -> None:
    plain = read_text(tmp_path, TRIANGLE, "graph.clq.gz")
    compressed = read_text(tmp_path, gzip.compress(TRIANGLE.encode()), "graph.clq")
    assert plain.sha256 == compressed.sha256
    assert plain.edges.tolist() == compressed.edges.tolist() == [[0, 1], [0, 2], [1, 2]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no header 'p edge NODES EDGES'"),
        ("c only words\n", "no header"),
        ("c\ne 1 2\n", "no header"),
        ("c\np edge 3\ne 1 2\n", "header in line 2 is 'p edge 3', expected 'p edge NODES EDGES'"),
        ("p edge -3 1\ne 1 2\n", "header in line 1 is 'p edge -3 1'"),
        ("p edge 3 1 1\ne 1 2\n", "header in line 1 is"),
        ("p sp 3 1\na 1 2 3\n", "header in line 1 is 'p sp 3 1'"),
        ("p edge 0 0\n", "has 0 nodes, expected 1 to"),
        ("p edge 9999999999 0\n", "has 9999999999 nodes, expected 1 to"),
        ("p edge 3 1\np edge 3 1\ne 1 2\n", "line 2 is a second header, 'p edge 3 1'"),
        ("e 1 2\np edge 3 1\n", "line 1 is an edge before the header"),
        ("p edge 3 2\ne 1 2\ne 4 1\n", "line 3 is 'e 4 1', but nodes are numbered from 1 to 3"),
        ("p edge 3 2\ne 1 2\n\ne 0 1\n", "line 4 is 'e 0 1', but"),
        ("p edge 3 1\ne 1 -2\n", "line 2 is 'e 1 -2', expected 'e U V' or a comment"),
        ("p edge 3 1\ne 1 2.0\n", "line 2 is 'e 1 2.0', expected"),
        ("p edge 3 1\ne 1\n", "line 2 is 'e 1', expected"),
        ("p edge 3 1\ne 1 2 3\n", "line 2 is 'e 1 2 3', expected"),
        ("p edge 3 1\n1 2\n", "line 2 is '1 2', expected"),
        (f"p edge 3 1\n{'z' * 999}\n", f"line 2 is '{'z' * 60}…', expected"),
        (TRIANGLE[:-6], "header promises 3 edges, but there are 2: it may be cut off"),
        (TRIANGLE + "e 4 1\n", "header promises 3 edges, but there are 4"),
        (TRIANGLE.encode() + b"\0", "it is binary; convert it"),
        (PACKED[:-12], "compression is damaged or cut off"),
        (PACKED[:15] + b"zzzz", "compression is damaged or cut off"),
        (PACKED[:-4] + b"zzzz", "compression is damaged or cut off"),
    ],
)
def test_a_file_that_is_no_whole_graph_is_refused_with_its_name_and_the_place(
    tmp_path: Path, text: bytes | str, message: str
) -> None:
    with pytest.raises(InstanceError) as caught:
        read_text(tmp_path, text)
    assert str(caught.value).startswith(f"cannot read {tmp_path / 'graph.clq'}: ")
    assert message in str(caught.value)


def test_a_file_cut_off_between_lines_is_refused_wherever_it_ends(
    tmp_path: Path, test_data: Path
) -> None:
    text = gzip.decompress((test_data / "dimacs" / "keller4.clq.gz").read_bytes())
    lines = text.splitlines(keepends=True)
    for kept in (0, 5, 14, 15, 1000, len(lines) - 1):
        with pytest.raises(InstanceError, match=r"it may be cut off|no header"):
            read_text(tmp_path, b"".join(lines[:kept]))


def test_a_missing_file_or_a_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InstanceError, match=r"absent\.clq: No such file"):
        read_dimacs(tmp_path / "absent.clq")
    with pytest.raises(InstanceError, match="Is a directory"):
        read_dimacs(tmp_path)


@pytest.mark.parametrize("clique_rows", [False, True])
def test_the_rows_of_independent_sets_cover_each_edge_of_a_real_graph_once(
    test_data: Path, clique_rows: bool
) -> None:
    graph = read_dimacs(test_data / "dimacs" / "keller4.clq.gz")
    instance = independent_set(graph.n_nodes, graph.edges, clique_rows=clique_rows)
    rows = np.split(instance.A.indices, instance.A.indptr[1:-1])
    pairs = [pair for row in rows for pair in combinations(row.tolist(), 2)]
    assert sorted(pairs) == list(map(tuple, graph.edges.tolist()))
    assert instance.n_columns == 171
    assert instance.n_rows < len(graph.edges) if clique_rows else instance.n_rows == len(pairs)


def test_scip_finds_the_largest_independent_set_of_a_graph_from_a_file(tmp_path: Path) -> None:
    ring = "p edge 7 7\n" + "".join(f"e {node} {node % 7 + 1}\n" for node in range(1, 8))
    graph = read_text(tmp_path, ring)
    assert optimum_by_scip(independent_set(graph.n_nodes, graph.edges)) == pytest.approx(3)
