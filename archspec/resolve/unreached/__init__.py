"""Code that is written but not reached: blocks that nobody calls, arms that are not taken, repeats of 0 times.

In: a file, its names, and what a run reached. Out: findings about names, layers and arguments; volumes are unknown
there. `run` goes over the lines, `unused` finds names that nothing refers to.
"""
