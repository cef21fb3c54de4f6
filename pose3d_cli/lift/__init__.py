"""2D keypoints to 3D joints: networks, weights, windows, cameras."""
