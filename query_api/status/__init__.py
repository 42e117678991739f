"""The state of each projection, for readers."""
