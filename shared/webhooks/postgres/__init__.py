"""Reads of endpoints in the event store, and of their deliveries in the read model."""
