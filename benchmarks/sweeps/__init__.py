"""Sweeps that attack the compiler with many inputs or faults; tests run a part, these programs write the whole down."""
