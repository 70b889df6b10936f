"""The commands, one file each, imported when used.

In: flags and arguments. Out: text or JSON, findings on standard error, and an exit status. Nothing is computed here: a
command calls the front end or imports the back end inside its function.
"""
