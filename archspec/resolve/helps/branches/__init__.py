"""What makes the branches of a merge fit.

In: a merge that was refused, and the nodes at the ends of its branches. Out: its finding, with edits of a branch.
"""
