"""Mistakes that a pattern finds and a replacement mends: each rule is tried only on a line that the grammar rejects."""
