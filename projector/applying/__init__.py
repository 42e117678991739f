"""Applies batches of events to a view: exactly once, in order, around a poisoned event."""
