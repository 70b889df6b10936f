"""Running a segment of a network now, and again in the backward pass (Chen et al. 2016).

In: a segment's forward pass, and the values that enter it. Out: its results, of which autograd keeps only those values.
Gradients are those of the plain pass, bit for bit: the second pass draws the same random numbers. So are running
statistics: the second pass would update them again (torch.utils.checkpoint alone lets it), so it updates copies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


def recomputed(
    segment: Callable[..., Any],
    module: nn.Module,
    normalisations: Sequence[nn.Module],
    draws: bool,
    *values: Tensor,
) -> Any:
    """Run a segment of `module` on the values that enter it.

    `normalisations` are its layers with running statistics; `draws` says whether it uses random numbers.
    """

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _on_copies_of_statistics(normalisations)

    run = partial(segment, module)
    return checkpoint(run, *values, use_reentrant=False, preserve_rng_state=draws, context_fn=contexts)


@contextmanager
def _on_copies_of_statistics(normalisations: Sequence[nn.Module]) -> Iterator[None]:
    kept = [dict(one.named_buffers(recurse=False)) for one in normalisations]
    for one, buffers in zip(normalisations, kept, strict=True):
        for name, value in buffers.items():
            setattr(one, name, value.clone())
    try:
        yield
    finally:
        for one, buffers in zip(normalisations, kept, strict=True):
            for name, value in buffers.items():
                setattr(one, name, value)
