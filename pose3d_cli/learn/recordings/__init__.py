"""A user's own recordings: found by their names, read, and brought together with their truth."""
