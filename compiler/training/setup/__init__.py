"""What a run is made of, before its first step: options, network, recipe, data, first weights, and the printed plan.

In: the command line's words, or a checkpoint. Out: a run that is ready, or one clear error. Nothing is trained here.
"""
