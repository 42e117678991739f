"""Asynchronous plumbing: waits, turns, single flights and coalesced reads."""
