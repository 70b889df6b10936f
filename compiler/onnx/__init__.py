"""A graph and its weights as an ONNX file, and the proof that the file computes what torch does.

In: a graph and its torch module. Out: a file, if its proof passes. Nothing is traced: every node is emitted from the
graph.
"""

from archspec.compiler.onnx.emit import emit

__all__ = ["emit"]
