"""Builds a view anew from the log beside the live one, proves it equal and switches; or verifies it."""
