"""One process or several: the group of processes, replicas (DDP), and a pipeline of stages.

In: a module, a recipe, what `torchrun` says. Out: gradients and scores. The loop does not know which of them it drives.
"""
