"""The epochs of a run and their steps: optimiser, schedule, averaged weights, steps that are skipped, signals.

In: a prepared run. Out: an epoch at a time, as figures. Files are written by `training.records`.
"""
