"""The status over HTTP."""
