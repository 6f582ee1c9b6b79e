"""Random graphs and clique partitions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["barabasi_albert", "erdos_renyi", "greedy_clique_partition"]

Edges = npt.NDArray[np.int64]


def barabasi_albert(stream: np.random.RandomState, n_nodes: int, affinity: int) -> Edges:
    """Sample a graph that grows by preferential attachment.

    Node number `affinity` joins all nodes before it (a star). Every later node joins `affinity`
    distinct nodes, drawn one by one with probability proportional to their degree.

    Parameters
    ----------
    stream
        Random stream to draw from.
    n_nodes
        Number of nodes, more than `affinity`.
    affinity
        Number of edges of a new node, at least 1.

    Returns
    -------
    ndarray of shape (affinity · (n_nodes - affinity), 2), int64
        Edges (u, v) with u < v, in lexicographic order.

    References
    ----------
    A.-L. Barabási, R. Albert (1999). Emergence of scaling in random networks. Science 286.

    Examples
    --------
    >>> barabasi_albert(np.random.RandomState(0), n_nodes=4, affinity=1).tolist()
    [[0, 1], [0, 2], [2, 3]]
    """
    edges = np.empty((affinity * (n_nodes - affinity), 2), dtype=np.int64)
    # A node occurs among the ends of the edges as often as its degree, so a uniform draw from
    # them is proportional to the degree. Repeated nodes are skipped.
    ends = edges.reshape(-1)
    for new_node in range(affinity, n_nodes):
        n_edges = affinity * (new_node - affinity)
        joined = dict.fromkeys(range(affinity) if new_node == affinity else ())
        while len(joined) < affinity:
            drawn = stream.randint(2 * n_edges, size=affinity, dtype=np.int64)
            joined.update(dict.fromkeys(ends[drawn].tolist()))
        edges[n_edges : n_edges + affinity, 0] = list(joined)[:affinity]
        edges[n_edges : n_edges + affinity, 1] = new_node
    return edges[np.lexsort((edges[:, 1], edges[:, 0]))]


def erdos_renyi(stream: np.random.RandomState, n_nodes: int, edge_probability: float) -> Edges:
    """Sample a graph in which every pair of nodes is an edge with the same probability.

    Returns
    -------
    ndarray of shape (number of edges, 2), int64
        Edges (u, v) with u < v, in lexicographic order.

    References
    ----------
    E. N. Gilbert (1959). Random graphs. Annals of Mathematical Statistics 30.

    Examples
    --------
    >>> erdos_renyi(np.random.RandomState(0), n_nodes=3, edge_probability=1).tolist()
    [[0, 1], [0, 2], [1, 2]]
    """
    higher_neighbors = [
        node + 1 + np.flatnonzero(stream.random_sample(n_nodes - node - 1) < edge_probability)
        for node in range(n_nodes)
    ]
    lower = np.repeat(np.arange(n_nodes), [len(nodes) for nodes in higher_neighbors])
    return np.column_stack((lower, np.concatenate(higher_neighbors))).astype(np.int64)


def greedy_clique_partition(n_nodes: int, edges: Edges) -> list[list[int]]:
    """Partition the nodes of a graph into cliques, greedily by descending degree.

    The free node of largest degree starts a clique. Its free neighbours, by descending degree,
    join if they are adjacent to all members. Ties are broken by the smaller node number.

    Returns
    -------
    list of list of int
        Nodes of each clique, ascending. Every node is in exactly one clique.

    Examples
    --------
    >>> greedy_clique_partition(4, np.array([[0, 1], [0, 2], [1, 2], [2, 3]]))
    [[0, 1, 2], [3]]
    """
    neighbors: list[set[int]] = [set() for _ in range(n_nodes)]
    for u, v in edges.tolist():
        neighbors[u].add(v)
        neighbors[v].add(u)
    by_degree = sorted(range(n_nodes), key=lambda node: -len(neighbors[node]))
    rank = {node: position for position, node in enumerate(by_degree)}
    free = set(range(n_nodes))
    cliques = []
    for center in by_degree:
        if center not in free:
            continue
        clique = [center]
        for node in sorted(neighbors[center] & free, key=rank.__getitem__):
            if neighbors[node].issuperset(clique):
                clique.append(node)
        free.difference_update(clique)
        cliques.append(sorted(clique))
    return cliques
