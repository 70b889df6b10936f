"""Arguments that were refused, read as they are probably meant.

In: a step in the words of another tool, or without a required argument. Out: helps with the step in this language.
"""
