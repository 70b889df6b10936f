"""Sweeps: programs that try thousands of random inputs and write what they met, reproducible from a seed."""
