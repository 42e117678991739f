"""Builds a view again from the log beside the live one, compares and switches; or verifies a view."""
