"""The graph of a network: volumes, nodes, and the part of a graph that leads to a result.

In: what `resolve` builds. Out: what analyses, the lowering and the ONNX emitters read.
Nothing is parsed or measured here.
"""
