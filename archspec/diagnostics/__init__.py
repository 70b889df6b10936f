"""Errors and warnings as data, and their rendering as text.

In: a span in a source, a code, a message. Out: `Diagnostic`, the exceptions that carry it, its rendering, and the
explanation of each code. Nothing is checked here: the stages that detect a problem create the finding.
"""
