"""Joints that turn: a skeleton at rest, and the rotations that bring it into each pose."""
