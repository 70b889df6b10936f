"""How far apart the outputs of a network lie in its input.

In: a graph. Out: pixels of the input from one output to the next, along height and width: 32 at the end of a ResNet, 1
for a network that scores each pixel. UPCONV, UPSAMPLE and the like divide what strides multiply.
"""

from __future__ import annotations

from fractions import Fraction

from archspec.graph.ir import Graph

Stride = Fraction | None  # None where each output sees the whole input


def pixel_strides(graph: Graph) -> tuple[Stride, Stride]:
    """Return the strides of the output along height and width; of several paths to it, the first counts."""
    found: list[tuple[Stride, Stride]] = []
    for node in graph.nodes:
        if not node.inputs:
            found.append((Fraction(1), Fraction(1)))
            continue
        window = node.layer.sees(graph.inputs(node))
        sides: list[Stride] = []
        for axis in (0, 1):
            known = [side for index in node.inputs if (side := found[index][axis]) is not None]
            factor = Fraction(window.stride[axis], window.scale[axis])
            sides.append(None if window.is_global or not known else known[0] * factor)
        found.append((sides[0], sides[1]))
    return found[graph.output]
