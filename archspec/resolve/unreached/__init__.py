"""What is written and contributes nothing: blocks that nobody calls, arms that are not taken, names that nothing uses.

In: a file, its names, and what a run reached. Out: findings about names, layers and arguments; volumes are unknown
there. `run` goes over the lines, `unused` finds names, `unused_results` says what to drop.
"""
