"""Train the network of `milplib.generators.NetworkVerification`, and write its file.

Install scikit-learn, which milplib does not need (``pip install scikit-learn``), and run
``.venv/bin/python benchmarks/train_digits_network.py``. The file ships with milplib, so that
generating instances needs no training. The last digits of the weights depend on the processor, so
that the file may differ on another machine.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from milplib.files import atomic_write

HIDDEN_LAYERS = (32, 32)
N_TRAINED, N_SHIPPED = 1200, 500
STEPS = 256  # parameters are multiples of 1 / 256
SEED, N_EPOCHS, BATCH_SIZE, LEARNING_RATE, WEIGHT_DECAY = 0, 150, 50, 0.002, 0.002

Array = npt.NDArray[np.float64]
Layers = list[tuple[Array, Array]]


def load_digits() -> tuple[Array, npt.NDArray[np.int64]]:
    """Return the 1797 images of 8 × 8 pixels, grey levels 0 … 16, and their digits."""
    from sklearn import datasets

    digits = datasets.load_digits()
    return digits.data, digits.target


def forward(layers: Layers, images: Array) -> list[Array]:
    """Return the input of every layer, and finally the scores of the digits."""
    values = [images]
    for number, (weight, bias) in enumerate(layers, start=1):
        scores = values[-1] @ weight.T + bias
        values.append(np.maximum(scores, 0) if number < len(layers) else scores)
    return values


def train(images: Array, digits: npt.NDArray[np.int64]) -> Layers:
    """Minimise the cross-entropy with Adam and decoupled weight decay."""
    random = np.random.RandomState(SEED)
    sizes = (images.shape[1], *HIDDEN_LAYERS, 10)
    layers = [
        (random.normal(0, np.sqrt(2 / n_in), (n_out, n_in)), np.zeros(n_out))
        for n_in, n_out in pairwise(sizes)
    ]
    layers[0] = (layers[0][0] / 8, layers[0][1])  # grey levels are about 8 times too large
    first = [[np.zeros_like(each) for each in layer] for layer in layers]
    second = [[np.zeros_like(each) for each in layer] for layer in layers]
    step = 0
    for epoch in range(N_EPOCHS):
        rate = LEARNING_RATE * (1 - epoch / N_EPOCHS)
        order = random.permutation(len(images))
        for start in range(0, len(order), BATCH_SIZE):
            batch = order[start : start + BATCH_SIZE]
            values = forward(layers, images[batch])
            slope = np.exp(values[-1] - values[-1].max(axis=1, keepdims=True))
            slope /= slope.sum(axis=1, keepdims=True)
            slope[np.arange(len(batch)), digits[batch]] -= 1
            slope /= len(batch)
            step += 1
            for number in reversed(range(len(layers))):
                gradients = (slope.T @ values[number], slope.sum(axis=0))
                slope = (slope @ layers[number][0]) * (values[number] > 0)
                for part, gradient in enumerate(gradients):
                    mean, square = first[number][part], second[number][part]
                    mean += 0.1 * (gradient - mean)
                    square += 0.001 * (gradient**2 - square)
                    move = mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
                    array = layers[number][part]
                    array -= rate * (move + WEIGHT_DECAY * array)
    return [
        (
            np.round(weight * STEPS) / STEPS,
            np.round(bias * STEPS) / STEPS,
        )
        for weight, bias in layers
    ]


def main() -> None:
    """Train the network, print its accuracy, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    root = Path(__file__).resolve().parent.parent
    parser.add_argument(
        "--output", type=Path, default=root / "generators" / "digits_network.safetensors"
    )
    output = parser.parse_args().output
    images, digits = load_digits()
    layers = train(images[:N_TRAINED], digits[:N_TRAINED])
    right = forward(layers, images)[-1].argmax(axis=1) == digits
    print(f"right: {right[:N_TRAINED].mean():.3f} trained, {right[N_TRAINED:].mean():.3f} others")
    shipped = N_TRAINED + np.flatnonzero(right[N_TRAINED:])[:N_SHIPPED]
    assert len(shipped) == N_SHIPPED
    tensors = {"images": images[shipped].astype(np.uint8), "digits": digits[shipped].astype("u1")}
    for number, (weight, bias) in enumerate(layers, start=1):
        assert max(abs(weight).max(), abs(bias).max()) < 10  # so that 9 digits write them exactly
        tensors[f"weight_{number}"] = weight.astype(np.float32)
        tensors[f"bias_{number}"] = bias.astype(np.float32)
    with atomic_write(output) as stream:
        stream.write(save(tensors))


if __name__ == "__main__":
    main()
