"""Person detectors: where in a picture people are, as boxes; one a file."""
