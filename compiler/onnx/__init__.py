"""IR and weights to ONNX.

In: a graph and its weights. Out: an ONNX model, and a proof that it computes what torch does. Nothing is traced or
trained here; running a model is for inference/.
"""

from archspec.compiler.onnx.emit import emit

__all__ = ["emit"]
