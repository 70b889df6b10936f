"""What a run is made of, before its first step: options, network, recipe, data, first weights, and the printed plan.

In: the command line, or a checkpoint. Out: a run that is ready to begin, or one clear error. Nothing is trained here.
"""
