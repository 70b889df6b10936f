"""Training, from a network to weights.

In: a spec, flags, and images or a checkpoint. Out: a folder with weights, checkpoints, metrics, a page and a summary.
Not done here: images are `compiler/data`, the recipe is `archspec/recipe.py`. Read it in this order:

- `run`: start, resume or only plan a run; `session`: a run ready to begin; `epochs`: all its epochs and its end;
  `recorder`: what it writes on the way.
- `setup`: the options, what a run is made of, its recipe, what is refused, the batch size, the first weights, the plan.
- `weighting`: class weights, learning rates of layers, frozen layers.
- `loop`: `trainer` (an epoch of steps), `update` (gradients to weights), `optimizer`, `schedule`, `weight_average`,
  `skipped_steps`, `held_out` (evaluation), `signals`, and `observer`, through which the trainer is watched.
- `parallel`: gradients from replicas (DDP) or from a pipeline of stages, and the processes.
- `records`: the figures of an epoch, checkpoints, the summary, and the folder they are written to; `page`: the page of
  the run so far.
- `profile`: `--profile`, where the time of a step goes, by lines of the spec.

`CLUSTERS.md` has the commands for one GPU, eight, and several machines with Slurm.
"""
