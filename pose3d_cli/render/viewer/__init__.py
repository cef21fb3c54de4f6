"""A result as a page to look at: the video with its 2D beside the 3D scene, in step."""
