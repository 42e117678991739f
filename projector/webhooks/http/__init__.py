"""Sends messages to receivers over HTTP, to allowed addresses alone."""
