"""Train a small neural network to tell two spirals apart, and report its metrics while it learns.

An ordinary program: it takes its hyperparameters from the command line and knows nothing of who calls it. A
training that diverges ends with exit code 1. It needs numpy alone, and a second or two.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np

ACTIVATIONS = {
    "relu": (lambda x: np.maximum(x, 0), lambda y: y > 0),
    "tanh": (np.tanh, lambda y: 1 - y**2),
    "logistic": (lambda x: 1 / (1 + np.exp(-x)), lambda y: y * (1 - y)),
}
"""Each with its derivative, a function of its value."""

DIVERGED = 10
"""A loss that no training comes back from; guessing has 0.69."""


def main() -> None:
    """Read the hyperparameters, train, report."""
    options = read_options()
    points, labels = read_data()
    train, test = slice(0, None, 2), slice(1, None, 2)
    network = Network(options.hidden_units, options.activation)
    for epoch in range(1, options.epochs + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            network.train(points[train], labels[train], options.learning_rate, options.batch_size)
            score, is_one = network.score(points[test]), labels[test] == 1
            loss = float(np.mean(np.logaddexp(0, np.where(is_one, -score, score))))
        if not loss < DIVERGED:
            sys.exit(f"diverged in epoch {epoch}: the loss is {loss:.1f}")
        if epoch % 20 == 0:
            report(options, epoch, float(np.mean((score > 0) == is_one)), loss)


class Network:
    """One hidden layer, trained by stochastic gradient descent with momentum."""

    def __init__(self, hidden_units: int, activation: str) -> None:
        self.random = np.random.default_rng(0)
        self.activation, self.derivative = ACTIVATIONS[activation]
        self.weights = [
            self.random.normal(0, 3, (3, hidden_units)),
            self.random.normal(0, hidden_units**-0.5, (hidden_units, 1)),
        ]
        self.speeds = [np.zeros_like(weights) for weights in self.weights]

    def score(self, points: np.ndarray) -> np.ndarray:
        """Return how far each point is on the side of label 1."""
        hidden, output = self.weights
        return (self.activation(points @ hidden) @ output)[:, 0]

    def train(self, points: np.ndarray, labels: np.ndarray, rate: float, batch_size: int) -> None:
        """Train for one epoch."""
        order = self.random.permutation(len(points))
        for start in range(0, len(points), batch_size):
            batch = order[start : start + batch_size]
            hidden, output = self.weights
            layer = self.activation(points[batch] @ hidden)
            error = 1 / (1 + np.exp(-layer @ output)) - labels[batch, None]
            slopes = [points[batch].T @ (error @ output.T * self.derivative(layer)), layer.T @ error]
            for weights, speed, slope in zip(self.weights, self.speeds, slopes, strict=True):
                speed[:] = 0.9 * speed - rate / len(batch) * slope
                weights[:] += speed


def two_spirals(count: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Return points, as (x, y, 1), and which of two intertwined spirals each of them lies on."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, count)
    angle = np.pi * (0.5 + 2.5 * random.random(count))
    radius = angle / angle.max() * np.where(labels == 1, 1, -1)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.ones(count)], axis=1)
    points[:, :2] += random.normal(0, 0.06, (count, 2))
    return points, labels


def read_data() -> tuple[np.ndarray, np.ndarray]:
    """Return points and labels, from the file that ``DATA`` names where it does."""
    if "DATA" not in os.environ:
        return two_spirals()
    with np.load(os.environ["DATA"]) as data:
        return data["points"], data["labels"]


def read_options() -> argparse.Namespace:
    """Return the hyperparameters, and where metrics go."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--hidden-units", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--activation", choices=ACTIVATIONS, default="tanh")
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--metrics-file", type=Path, help="where metrics go; printed where not given")
    parser.add_argument("--metrics-format", choices=["text", "json"], default="text")
    return parser.parse_args()


def report(options: argparse.Namespace, epoch: int, accuracy: float, loss: float) -> None:
    """Tell the metrics of an epoch."""
    if options.metrics_file is None:
        print(f"epoch {epoch}: accuracy={accuracy:.4f} loss={loss:.4f}", flush=True)
        return
    line = f"[{epoch}] accuracy is {accuracy:.4f}"
    if options.metrics_format == "json":
        line = json.dumps({"epoch": epoch, "accuracy": accuracy, "loss": loss})
    with options.metrics_file.open("a") as file:
        file.write(f"{line}\n")


if __name__ == "__main__":
    main()
