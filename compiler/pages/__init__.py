"""What a person looks at: line charts and confusion matrices as SVG, and the report of a training run.

In: figures and names. Out: self-contained SVG and HTML. Nothing is computed here but positions.
"""
