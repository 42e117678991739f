"""Parked products and events in PostgreSQL."""
