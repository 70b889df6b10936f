"""The safe fixes of findings, applied to files: `archspec check --fix`.

In: the paths of specs. Out: their new texts, what changed, and files written atomically. `spec_text` keeps line ends,
`workspace` reads the specs as if the new texts were on the disk, `rounds` chooses the fixes, and `spec_file` writes.
Nothing is printed here.
"""
