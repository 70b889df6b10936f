"""Sweeps: thousands of random inputs, each made from a seed, and a page that says what came of them."""
