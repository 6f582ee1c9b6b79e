"""Networks of water pipes: random streets, and real networks from EPANET files."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from milplib.errors import MissingPackageError

__all__ = ["CONSUMERS_OF_NETWORK", "WaterNetwork", "real_network", "street_network"]

STREET_SPACING = 100  # metres
LARGEST_SHIFT = 0.3  # of a crossing, relative to the spacing

# Number of junctions with a demand in each network of wntr that has a reservoir.
CONSUMERS_OF_NETWORK = {"Net1": 8, "Net3": 59, "Net6": 1621, "ky4": 934, "ky10": 871}

# EPANET lengths are in feet with these flow units, and otherwise in metres.
FLOW_UNITS_WITH_FEET = frozenset({"CFS", "GPM", "MGD", "IMGD", "AFD"})
METRES_PER_FOOT = 0.3048


@dataclass(frozen=True, kw_only=True)
class WaterNetwork:
    """A network of water pipes.

    Parameters
    ----------
    n_nodes
        Number of nodes: junctions, reservoirs and tanks.
    links
        End nodes of every link, numbered from 0: pipes first, then pumps and valves. Shape
        (number of links, 2), int64.
    lengths
        Lengths of the pipes in metres. Shape (number of pipes,), float64.
    reservoirs
        Nodes that supply water, ascending. Shape (number of reservoirs,), int64.
    consumers
        Nodes that may become critical customers, ascending; none is a reservoir. Shape (number
        of consumers,), int64.
    """

    n_nodes: int
    links: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.float64]
    reservoirs: npt.NDArray[np.int64]
    consumers: npt.NDArray[np.int64]


def street_network(
    stream: np.random.RandomState,
    *,
    n_streets: int,
    n_avenues: int,
    loop_share: float,
    n_reservoirs: int,
) -> WaterNetwork:
    """Sample pipes below the streets of a town.

    Streets and avenues, 100 m apart, cross in a lattice. Every crossing is a junction, shifted
    uniformly by up to 30 m along each axis. All segments of a random spanning tree of the lattice
    (the minimum one under distinct random weights) have pipes, and so does a share of the other
    segments between neighbouring crossings. Reservoirs lie at random crossings; all other
    crossings are consumers.

    Parameters
    ----------
    stream
        Random stream to draw from.
    n_streets, n_avenues
        Numbers of streets and of avenues.
    loop_share
        Share, in [0, 1], of the segments outside the spanning tree that have a pipe.
    n_reservoirs
        Number of reservoirs, at most the number of crossings.

    Examples
    --------
    >>> network = street_network(
    ...     np.random.RandomState(0), n_streets=2, n_avenues=2, loop_share=0, n_reservoirs=1
    ... )
    >>> network.links.tolist(), network.reservoirs.tolist(), network.consumers.tolist()
    ([[0, 1], [2, 3], [1, 3]], [0], [1, 2, 3])
    """
    n_nodes = n_streets * n_avenues
    crossings = np.arange(n_nodes, dtype=np.int64).reshape(n_streets, n_avenues)
    stretches = np.concatenate(
        (
            np.column_stack((crossings[:, :-1].ravel(), crossings[:, 1:].ravel())),
            np.column_stack((crossings[:-1].ravel(), crossings[1:].ravel())),
        )
    )
    places = np.column_stack(np.divmod(np.arange(n_nodes), n_avenues))
    places = places + LARGEST_SHIFT * (2 * stream.random_sample((n_nodes, 2)) - 1)
    weights = 1 + stream.permutation(len(stretches))
    tree = sp.csgraph.minimum_spanning_tree(
        sp.csr_array((weights, tuple(stretches.T)), shape=(n_nodes, n_nodes))
    )
    has_pipe = np.isin(weights, tree.data)
    others = stream.permutation(np.flatnonzero(~has_pipe))
    has_pipe[others[: round(loop_share * len(others))]] = True
    links = stretches[has_pipe]
    dx, dy = (places[links[:, 0]] - places[links[:, 1]]).T
    by_chance = stream.permutation(n_nodes)
    return WaterNetwork(
        n_nodes=n_nodes,
        links=links,
        lengths=STREET_SPACING * np.sqrt(dx * dx + dy * dy),
        reservoirs=np.sort(by_chance[:n_reservoirs]),
        consumers=np.sort(by_chance[n_reservoirs:]),
    )


def real_network(name: str) -> WaterNetwork:
    """Read an EPANET network of the package wntr.

    Nodes are junctions, reservoirs and tanks; links are pipes, pumps and valves, including closed
    ones. Both keep the order of the file. Consumers are the junctions with a demand.

    Parameters
    ----------
    name
        Name of a network, a key of ``CONSUMERS_OF_NETWORK``.

    Raises
    ------
    MissingPackageError
        If wntr is not installed, or does not ship the network.

    References
    ----------
    L. A. Rossman (2000). EPANET 2 users manual. United States Environmental Protection Agency,
    appendix C (the input file).
    """
    # wntr is not imported: its imports are slow, and only its files are needed.
    package = find_spec("wntr")
    folders = (package.submodule_search_locations if package else None) or ()
    files = [Path(folder, "library", "networks", f"{name}.inp") for folder in folders]
    for file in files:
        if file.is_file():
            return parse_epanet(file.read_text(encoding="latin-1"))
    raise MissingPackageError(
        f"the network {name} is a file of the package wntr, which is not installed or too old: "
        "pip install 'milplib[water]'"
    )


def parse_epanet(text: str) -> WaterNetwork:
    """Build the network described by the text of an EPANET input file."""
    sections: dict[str, list[list[str]]] = {}
    lines: list[list[str]] = []
    for line in text.splitlines():
        fields = line.split(";")[0].split()
        if fields and fields[0].startswith("["):
            lines = sections.setdefault(fields[0].upper(), [])
        elif fields:
            lines.append(fields)
    junctions, reservoirs, tanks, pipes, pumps, valves, options = (
        sections.get(f"[{name}]", [])
        for name in ("JUNCTIONS", "RESERVOIRS", "TANKS", "PIPES", "PUMPS", "VALVES", "OPTIONS")
    )
    nodes = {fields[0]: node for node, fields in enumerate([*junctions, *reservoirs, *tanks])}
    units = {fields[0].upper(): fields[-1].upper() for fields in options}.get("UNITS", "GPM")
    metres = METRES_PER_FOOT if units in FLOW_UNITS_WITH_FEET else 1.0
    demands = np.array([float(fields[2]) if len(fields) > 2 else 0.0 for fields in junctions])
    return WaterNetwork(
        n_nodes=len(nodes),
        links=np.array(
            [[nodes[start], nodes[end]] for _, start, end, *_ in (*pipes, *pumps, *valves)],
            dtype=np.int64,
        ),
        lengths=metres * np.array([float(fields[3]) for fields in pipes]),
        reservoirs=np.arange(len(reservoirs), dtype=np.int64) + len(junctions),
        consumers=np.flatnonzero(demands > 0),
    )
