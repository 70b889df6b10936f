"""Where the time of a training step goes: `archspec train --profile`.

In: a session. Out: torch's trace, and the time of each line of the spec. No weights are kept.
"""
