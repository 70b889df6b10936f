"""What is wrong, where, and what to do about it, as data; and that as text.

In: a place in a source, a code, a message. Out: `Diagnostic`, the exceptions that carry it, its rendering, and the long
form of each code. Nothing is checked here: the stages that notice a problem make the finding.
"""
