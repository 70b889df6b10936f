"""How well networks do: ensembles on held-out images, test-time views, the confusion matrix; and `probe`.

In: trained weights and images, or for `probe` a network. Out: an `Evaluation`, as data and as text. Nothing is trained
or written here; `data`, `weights` and `lowering` are imported, `training` and `pages` are not.
"""
