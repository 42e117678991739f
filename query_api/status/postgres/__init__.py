"""Reads the status from the read model and from the event log."""
