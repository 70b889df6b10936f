"""What people look at: line charts and confusion matrices as SVG, the report of a training run, sample images.

In: figures, names and an `Evaluation`. Out: self-contained SVG and HTML. Only positions are computed here; training is
not imported.
"""
