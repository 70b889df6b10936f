"""What people look at: line charts and confusion matrices as SVG, and sample images.

In: figures, names and an `Evaluation`. Out: self-contained SVG, and PNG. Only positions are computed here; the page of
a run is `training/records`.
"""
