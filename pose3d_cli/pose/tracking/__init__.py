"""Identity over time: who is who from picture to picture. NumPy in, NumPy out, no pictures."""
