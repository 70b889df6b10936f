"""Epochs and their steps: optimiser, schedule, averaged weights, skipped steps, held-out evaluation, signals.

In: a network, its data and a recipe. Out: the figures of one epoch at a time. Files are written by `training.recorder`.
"""
