"""Video in, 3D people out: detect people in 2D, lift them to 3D, draw, measure and train."""

__version__ = "0.1.0"
