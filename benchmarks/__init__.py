"""Programs that measure, and their committed results."""
