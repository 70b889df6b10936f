"""Training, in the order in which to read it.

- `run`: a run from a spec to weights; `choose`: what it is made of; `needs`: what is refused; `plan`: what it is going
  to do; `begin`: the weights that it begins from; `signals`: what it is asked on the way.
- `loop`: epochs of steps, and a look at the held-out images; `optimise`: optimiser, rate, average; `mix`: what is
  done to a batch; `guard`: steps that are left out.
- `engine`: gradients from replicas (DDP) or from a `pipeline` of stages; `distributed`: the processes.
- `state`: what is kept on the disk.

The recipe is `archspec.recipe`, the images are `archspec.compiler.data`.
"""
