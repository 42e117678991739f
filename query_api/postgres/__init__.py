"""Bounded access to the read model, for all capabilities."""
