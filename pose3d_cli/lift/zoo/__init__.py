"""One lifter a file; the module name is the lifter name."""
