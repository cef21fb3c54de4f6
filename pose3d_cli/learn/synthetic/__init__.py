"""A generator of 2D-3D training pairs: mocap, made-up postures, bodies, cameras, detectors."""
