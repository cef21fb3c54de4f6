"""Words: skeletons, types, geometry and measures of human pose. NumPy in, NumPy out."""
