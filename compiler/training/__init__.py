"""Training, from a network to weights. Read it in this order:

- `run`: start, resume or only plan a run; `session`: a run ready to begin; `epochs`: all its epochs and its end;
  `recorder`: what it writes on the way.
- `setup`: the options, what a run is made of, what is refused, the batch size, the first weights, the printed plan.
- `loop`: `trainer` (an epoch of steps), `update` (gradients to weights), `optimizer`, `schedule`, `weight_average`,
  `skipped_steps`, `held_out` (evaluation), `signals`, and `observer`, through which the trainer is watched.
- `parallel`: gradients from replicas (DDP) or from a pipeline of stages, and the processes.
- `records`: the figures of an epoch, checkpoints, the summary, and the folder they are written to.

The recipe is `archspec.recipe`; images are `archspec.compiler.data`, the page of a run is `archspec.compiler.pages`.
"""
