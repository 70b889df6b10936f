"""How well networks classify pixels: counts, IoU, tables, pictures' rows, and the evaluation of weights on a folder.

In: scores of pixels and masks. Out: a `MapEvaluation`, as data and as text.
"""
