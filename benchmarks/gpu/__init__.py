"""Programs for a machine with a CUDA GPU; README.md beside them says how to run them."""
