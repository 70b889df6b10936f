"""One process or several: how they are started, the group of processes, replicas (DDP), a pipeline of stages, and the
loss of a process.

In: a module, a recipe, what `--processes` or `torchrun` says. Out: gradients and scores. The loop does not know which
of them it drives.
"""
