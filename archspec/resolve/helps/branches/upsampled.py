"""An UPSAMPLE whose result is a pixel too large or too small, because what it undoes rounded the size.

In: a branch that does not fit, and the volume that it has to have. Out: the UPCONV that fits.
"""

from __future__ import annotations

from collections.abc import Iterator

from archspec.diagnostics.findings import Edit, Help
from archspec.graph.volume import Volume
from archspec.layers.pixels import Upsample
from archspec.resolve.helps.branches.branch import Branch

_PADS = {1: "", -1: " p1"}  # of a 3x3 UPCONV at stride 2, which produces one pixel more or less than twice the size


def upsampled(odd: Branch, goal: Volume) -> Iterator[Help]:
    """Yield an UPCONV instead of the UPSAMPLE of a branch."""
    volume = odd.base
    for node in odd.nodes:
        entering, volume = volume, node.volume
        speller = odd.speller(node) if isinstance(node.layer, Upsample) and node.layer.factor == 2 else None
        more = {wanted - 2 * side for wanted, side in zip(goal.spatial, entering.spatial, strict=False)}
        if speller is not None and len(more) == 1 and (pad := _PADS.get(more.pop())) is not None:
            text = f"UPCONV {entering.channels} 3x3 s2{pad}"
            yield Help(f"`{text}` produces the other size", Edit(speller.span, text))
