"""Train a small neural network on handwritten digits and print its metrics after every epoch."""

from __future__ import annotations

import argparse

from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier


def main() -> None:
    """Read the hyperparameters from the command line, train, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--hidden-units", type=int, required=True)
    parser.add_argument("--activation", choices=["relu", "tanh", "logistic"], required=True)
    parser.add_argument("--epochs", type=int, default=100)
    options = parser.parse_args()

    digits = load_digits()
    train_x, test_x, train_y, test_y = train_test_split(
        digits.data / 16, digits.target, test_size=0.4, random_state=0, stratify=digits.target
    )
    model = MLPClassifier(
        hidden_layer_sizes=(options.hidden_units,),
        activation=options.activation,
        learning_rate_init=options.learning_rate,
        random_state=0,
    )
    for epoch in range(1, options.epochs + 1):
        model.partial_fit(train_x, train_y, classes=digits.target_names)
        probabilities = model.predict_proba(test_x)
        accuracy = accuracy_score(test_y, probabilities.argmax(axis=1))
        loss = log_loss(test_y, probabilities)
        print(f"epoch {epoch}: accuracy={accuracy:.4f} loss={loss:.4f}", flush=True)


if __name__ == "__main__":
    main()
