"""Results as files for other programs: one exporter a file of `zoo`."""
