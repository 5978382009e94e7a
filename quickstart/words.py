"""Numbers as a person reads them."""

from __future__ import annotations


def short(text: str) -> str:
    """Return a number with four significant digits; other text, and whole numbers, as they are."""
    try:
        int(text)
    except ValueError:
        try:
            return f"{float(text):.4g}"
        except ValueError:
            return text
    return text


def value_text(value: float | None) -> str:
    """Return a metric's value with four decimals; ``-`` where there is none."""
    return "-" if value is None else f"{value:.4f}"
