"""Training: recipe, data, optimiser and schedule, state, loop, in the order of their use."""
