"""The activations of PyTorch and Keras that have arguments, in the notation.

In: a call. Out: the layer; None if the call does not say which default it has, or the notation has no such layer.
"""

from __future__ import annotations

from collections.abc import Callable

from archspec.language.mistakes.foreign.calls import Call, numbers
from archspec.language.mistakes.foreign.sketch import ListedLayer


def with_arguments(name: str, **theirs: str) -> Callable[[Call], ListedLayer | None]:
    """Return a layer whose arguments come in the same order there, under other names, and have the same defaults."""

    def layer(call: Call) -> ListedLayer | None:
        given = [(ours, call.get(place, other)) for place, (ours, other) in enumerate(theirs.items())]
        return ListedLayer(name, others=tuple(f"{ours}={value}" for ours, value in given if value))

    return layer


def leaky(call: Call) -> ListedLayer | None:
    """Return the slope; without one, the default of the library that the call names."""
    slope = call.get(0, "negative_slope", "alpha") or {"nn": "0.01", "layers": "0.3"}.get(call.owner)
    return None if slope is None else ListedLayer("LEAKYRELU", others=(slope,))


def slopes(call: Call) -> ListedLayer | None:
    """One slope is torch's default; Keras's is one for each value, which is no layer here."""
    if numbers(call.get(None, "shared_axes")) == (1, 2):
        return ListedLayer("PRELU")
    count = call.number(0, "num_parameters") or (1 if call.owner == "nn" else None)
    return None if count is None else ListedLayer("PRELU", others=("single",) if count == 1 else ())
