"""Training runs whose commands, figures and curves are committed."""
