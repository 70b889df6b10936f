"""What to write instead, worked out only when a step was refused and its finding is shown.

In: a step of the source, its scope, and what its layer proposes. Out: helps with their edits, in the source's own
terms. Correct specs import nothing of this package.
"""
