"""One dataset a file; the module name is the dataset name."""
