"""Where a network begins and ends: findings about its INPUT and `output` lines, and the results that losses name.

In: lines and results. Out: findings, with edits. Correct specs with one input and one output import none of it.
"""
