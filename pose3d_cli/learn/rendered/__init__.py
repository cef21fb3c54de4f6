"""Rendered people: videos whose every joint is known, to measure detectors and the whole chain."""
