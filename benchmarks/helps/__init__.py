"""Correct specs with a mistake in them, as people make it, and every help that is given for it applied literally."""
