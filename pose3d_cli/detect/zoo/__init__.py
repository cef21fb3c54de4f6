"""One detector a file; the module name is the detector name."""
