"""The event-store database, step by step."""
