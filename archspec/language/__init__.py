"""From the text of a spec to syntax: layout, tables, parse, transform, syntax, and the arithmetic of its expressions.

In: a source. Out: a `syntax.File`, and what is wrong with the text.
It knows no layers, volumes or files. `mistakes` is loaded only for a text that cannot be read as it stands: it says
what must have been meant.
"""
