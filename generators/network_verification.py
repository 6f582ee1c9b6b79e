"""Verification of a neural network that reads handwritten digits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from safetensors.numpy import load

from milplib.errors import ParameterError
from milplib.generators.named import named
from milplib.generators.parameters import check_real
from milplib.generators.randomness import random_stream
from milplib.instance import Instance
from milplib.library import Distribution

__all__ = ["NetworkVerification"]

Array = npt.NDArray[np.float64]

NETWORK_FILE = "digits_network.safetensors"
N_DIGITS = 10
LARGEST_GREY_LEVEL = 16
# Network parameters are multiples of 1/256, and bounds are rounded outward to these steps. Sums of
# their products are then exact in any order, and 9 digits represent each number exactly.
STEPS_OF_GREY_LEVEL, STEPS_OF_INPUT = 128, 64


@dataclass(frozen=True, kw_only=True)
class NetworkVerification:
    r"""Neural network verification: find the worst effect of a small change to a digit's image.

    The network has the 64 pixels of an image as input, hidden layers of rectified linear units,
    and one score for each digit; it predicts the digit of the highest score. The objective is the
    smallest margin of the true digit t over another digit o if every pixel may change by
    :math:`\varepsilon`. A negative optimum yields an image that the network misclassifies; a
    positive optimum proves that no such image exists. Let :math:`y^0` be the image with grey
    levels in 0 … 16, and :math:`W^k`, :math:`b^k` the parameters of layer k. The input
    :math:`a^k_i` of a neuron lies in :math:`[L^k_i, U^k_i]`:

    .. math::
        \min a^K_t - a^K_o \quad \text{with}\quad
        & a^k_i - \sum_j W^k_{ij} y^{k-1}_j = b^k_i \;\forall k, i, \\
        & y^k_i \ge a^k_i,\quad y^k_i \le a^k_i - L^k_i (1 - z^k_i),\quad
          y^k_i \le U^k_i z^k_i,\quad y^k_i \ge 0,\quad z^k_i \in \{0, 1\}
          \;\text{ if } L^k_i < 0 < U^k_i, \\
        & y^k_i = a^k_i \;\text{ if } L^k_i \ge 0,\quad y^k_i = 0 \;\text{ if } U^k_i \le 0
          \quad \forall k < K, i

    The columns are the pixels ``y_0_1 … y_0_64``, row by row of the image; for each hidden layer k
    its ``a_k_1, …`` and then its ``y_k_1, …``; the scores ``a_K_1 … a_K_10`` of the digits 0 … 9;
    and ``z_k_i`` of the unstable neurons, whose input may have either sign. The rows are
    ``input_k_i`` of all layers; then ``above_k_i``, ``off_k_i`` and ``on_k_i`` of the unstable
    neurons in the order of the formula; then ``active_k_i`` of the neurons that are always on.

    Bounds result from interval arithmetic: the pixels of the image ± :math:`\varepsilon`, clipped
    to 0 … 16, then layer by layer. They are rounded outward to multiples of 1/128 for pixels and
    1/64 for neurons.

    The network and 500 images ship with milplib. It was trained on 1200 other images and has two
    hidden layers of 32 neurons; its parameters are multiples of 1/256. It classifies all 500
    images correctly. An instance draws one of the images, one of the nine other digits and
    :math:`\varepsilon`, each uniformly.

    Every instance is feasible: the unchanged image with its activations is a solution. All
    columns are bounded.

    Parameters
    ----------
    min_epsilon, max_epsilon
        Range of :math:`\varepsilon` in grey levels, above 0 and at most 16.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.

    References
    ----------
    V. Tjeng, K. Xiao, R. Tedrake (2019). Evaluating robustness of neural networks with mixed
    integer programming. International Conference on Learning Representations. (The formulation.)

    V. Nair et al. (2020). Solving mixed integer programs using neural networks. arXiv 2012.13349.
    (As a distribution of instances, there of a convolutional network.)

    E. Alpaydin, C. Kaynak (1998). Optical recognition of handwritten digits. UCI Machine Learning
    Repository, CC BY 4.0. (The images, as scikit-learn ships them.)

    Examples
    --------
    >>> instance = NetworkVerification(min_epsilon=2, max_epsilon=3).generate(seed=7)
    >>> instance.n_rows, instance.n_columns, instance.n_nonzeros, int(instance.integrality.sum())
    (227, 250, 3746, 48)
    >>> instance.column_names[0], instance.column_names[-1]
    ('y_0_1', 'z_2_32')
    """

    min_epsilon: float
    max_epsilon: float

    domain: ClassVar[str] = "NNV"
    generator_version: ClassVar[int] = 1
    distributions: ClassVar[tuple[Distribution, ...]]

    def __post_init__(self) -> None:
        check_real("min_epsilon", self.min_epsilon, above=0, at_most=LARGEST_GREY_LEVEL)
        check_real("max_epsilon", self.max_epsilon, above=0, at_most=LARGEST_GREY_LEVEL)
        if self.max_epsilon < self.min_epsilon:
            raise ParameterError(
                f"max_epsilon is {self.max_epsilon!r}, expected at least the min_epsilon of "
                f"{self.min_epsilon!r}"
            )

    def generate(self, seed: int) -> Instance:
        """Generate the instance of a seed.

        Raises
        ------
        ParameterError
            If the seed is not a nonnegative integer.
        """
        stream = random_stream(seed)
        network = digits_network()
        chosen = stream.randint(len(network.images), dtype=np.int64)
        digit = int(network.digits[chosen])
        other = (digit + 1 + int(stream.randint(N_DIGITS - 1, dtype=np.int64))) % N_DIGITS
        epsilon = self.min_epsilon + (self.max_epsilon - self.min_epsilon) * stream.random_sample()
        return _instance(
            network.layers,
            propagate(network.layers, network.images[chosen], epsilon),
            digit,
            other,
            name=f"{self.domain}-seed-{seed}",
        )


@dataclass(frozen=True, kw_only=True)
class DigitsNetwork:
    """The trained network and images that it classifies correctly.

    Parameters
    ----------
    images
        Grey levels 0 … 16. Shape (number of images, 64), float64.
    digits
        Digit of each image. Shape (number of images,), uint8.
    layers
        Weights and biases of each layer, float64. Weights have shape (neurons, neurons of the
        previous layer).
    """

    images: Array
    digits: npt.NDArray[np.uint8]
    layers: tuple[tuple[Array, Array], ...]


@cache
def digits_network() -> DigitsNetwork:
    """Read the shipped network and images."""
    tensors = load(files("milplib.generators").joinpath(NETWORK_FILE).read_bytes())
    n_layers = sum(name.startswith("weight_") for name in tensors)
    return DigitsNetwork(
        images=tensors["images"].astype(np.float64),
        digits=tensors["digits"],
        layers=tuple(
            (
                tensors[f"weight_{layer}"].astype(np.float64),
                tensors[f"bias_{layer}"].astype(np.float64),
            )
            for layer in range(1, n_layers + 1)
        ),
    )


def propagate(
    layers: tuple[tuple[Array, Array], ...], image: Array, epsilon: float
) -> list[tuple[Array, Array]]:
    """Bound the pixels and the inputs of every layer by outward-rounded interval arithmetic."""
    lower, upper = _outward(
        np.maximum(image - epsilon, 0),
        np.minimum(image + epsilon, LARGEST_GREY_LEVEL),
        STEPS_OF_GREY_LEVEL,
    )
    bounds = [(lower, upper)]
    for weight, bias in layers:
        positive, negative = np.maximum(weight, 0), np.minimum(weight, 0)
        inputs = _outward(
            positive @ lower + negative @ upper + bias,
            positive @ upper + negative @ lower + bias,
            STEPS_OF_INPUT,
        )
        bounds.append(inputs)
        lower, upper = np.maximum(inputs[0], 0), np.maximum(inputs[1], 0)
    return bounds


def _outward(lower: Array, upper: Array, steps: int) -> tuple[Array, Array]:
    return np.floor(lower * steps) / steps, np.ceil(upper * steps) / steps


def _instance(
    layers: tuple[tuple[Array, Array], ...],
    bounds: list[tuple[Array, Array]],
    digit: int,
    other: int,
    *,
    name: str,
) -> Instance:
    n_pixels = len(bounds[0][0])
    sizes = [len(bias) for _, bias in layers]
    hidden = sum(sizes[:-1])
    # Columns: pixels, (a, y) of each hidden layer, scores, z. Neurons are numbered over all layers.
    first = n_pixels + np.append(0, np.cumsum(2 * np.array(sizes[:-1])))
    a = np.concatenate([start + np.arange(size) for start, size in zip(first, sizes, strict=True)])
    y = np.concatenate(
        [start + size + np.arange(size) for start, size in zip(first[:-1], sizes[:-1], strict=True)]
    )
    lower = np.concatenate([low for low, _ in bounds[1:]])
    upper = np.concatenate([high for _, high in bounds[1:]])
    unstable = np.flatnonzero((lower < 0) & (upper > 0))
    unstable = unstable[unstable < hidden]
    active = np.flatnonzero(lower[:hidden] >= 0)
    z = n_pixels + 2 * hidden + sizes[-1] + np.arange(len(unstable))
    n_columns = n_pixels + 2 * hidden + sizes[-1] + len(unstable)

    def rows(*terms: tuple[npt.NDArray[np.int64], npt.ArrayLike]) -> sp.csr_array:
        n_rows = len(terms[0][0])
        return sp.csr_array(
            (
                np.concatenate([np.broadcast_to(values, n_rows) for _, values in terms]),
                (
                    np.tile(np.arange(n_rows), len(terms)),
                    np.concatenate([columns for columns, _ in terms]),
                ),
            ),
            shape=(n_rows, n_columns),
        )

    before = [np.arange(n_pixels), *np.split(y, np.cumsum(sizes[:-1])[:-1])]
    inputs = rows((a, 1.0)).tolil()
    for (start, end), (weight, _), columns in zip(
        pairwise(np.append(0, np.cumsum(sizes))), layers, before, strict=True
    ):
        inputs[start:end, columns] = -weight
    low, high = lower[unstable], upper[unstable]
    matrix = sp.vstack(
        [
            inputs,
            rows((y[unstable], 1.0), (a[unstable], -1.0)),
            rows((y[unstable], 1.0), (a[unstable], -1.0), (z, -low)),
            rows((y[unstable], 1.0), (z, -high)),
            rows((y[active], 1.0), (a[active], -1.0)),
        ],
        format="csr",
    )
    matrix.eliminate_zeros()
    biases = np.concatenate([bias for _, bias in layers])
    n_unstable, n_active = len(unstable), len(active)
    infinite = np.full(n_unstable, np.inf)
    column_lower, column_upper = np.zeros(n_columns), np.ones(n_columns)
    column_lower[:n_pixels], column_upper[:n_pixels] = bounds[0]
    column_lower[a], column_upper[a] = lower, upper
    column_lower[y], column_upper[y] = np.maximum(lower[:hidden], 0), np.maximum(upper[:hidden], 0)
    objective = np.zeros(n_columns)
    objective[a[hidden + digit]], objective[a[hidden + other]] = 1, -1
    where = [f"{layer}_{i}" for layer, size in enumerate(sizes, 1) for i in range(1, size + 1)]
    column_names = np.empty(n_columns, dtype=object)
    column_names[:n_pixels] = [f"y_0_{pixel}" for pixel in range(1, n_pixels + 1)]
    column_names[a] = [f"a_{neuron}" for neuron in where]
    column_names[y] = [f"y_{neuron}" for neuron in where[:hidden]]
    column_names[z] = [f"z_{where[neuron]}" for neuron in unstable]
    return Instance(
        objective=objective,
        A=matrix,
        row_lower=np.concatenate(
            (biases, np.zeros(n_unstable), -infinite, -infinite, np.zeros(n_active))
        ),
        row_upper=np.concatenate(
            (biases, infinite, -low, np.zeros(n_unstable), np.zeros(n_active))
        ),
        lower=column_lower,
        upper=column_upper,
        integrality=np.repeat([0, 1], [n_columns - n_unstable, n_unstable]),
        column_names=tuple(column_names),
        row_names=(
            *(f"input_{neuron}" for neuron in where),
            *(f"{kind}_{where[i]}" for kind in ("above", "off", "on") for i in unstable),
            *(f"active_{where[i]}" for i in active),
        ),
        sense="minimize",
        name=name,
    )


NetworkVerification.distributions = (
    named("digits-easy", NetworkVerification(min_epsilon=2, max_epsilon=3), "milplib"),
    named("digits-easy-large", NetworkVerification(min_epsilon=4, max_epsilon=5), "milplib"),
)
