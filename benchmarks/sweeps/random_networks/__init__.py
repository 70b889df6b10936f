"""Random networks: their specs, a reference in numpy that knows nothing of the compiler, and the checks."""
