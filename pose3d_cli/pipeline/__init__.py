"""The chain from video to files, for one clip and for many."""
