"""IR and weights to ONNX: the emitter and the proof that what it made computes what torch does."""

from archspec.compiler.onnx.emit import emit

__all__ = ["emit"]
