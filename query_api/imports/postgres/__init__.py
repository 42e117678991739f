"""Reads imports from the database of the event log."""
