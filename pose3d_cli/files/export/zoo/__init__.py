"""The exporters that come with pose3d."""
