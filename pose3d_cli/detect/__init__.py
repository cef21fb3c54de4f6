"""Picture to people: 2D detectors and their identities over time."""
