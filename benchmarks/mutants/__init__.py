"""Small wrong changes to the program, each with the test file that should notice it."""
