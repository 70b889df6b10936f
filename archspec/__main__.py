"""`python -m archspec` is the command `archspec`."""

from archspec.cli import main

main(prog_name="archspec")
