"""The operators' interfaces: the command line, the operations port, the status."""
