"""How well networks do: ensembles on held-out images, test-time views, counts, the confusion matrix; and `probe`.

In: trained weights, images. Out: an `Evaluation`, as data and as text. Nothing is learned here.
"""
