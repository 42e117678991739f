"""Counts and price moves a day."""
