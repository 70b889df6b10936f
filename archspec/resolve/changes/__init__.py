"""The command line's changes of a spec: what they mean in it, and what is wrong with them.

In: what runs of the spec with and without the changes have found. Out: the layers that `--classes` resizes; findings
that name the flag. Imported only if there are changes.
"""
