"""The id of the log."""
