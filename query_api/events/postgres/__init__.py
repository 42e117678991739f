"""The event log in PostgreSQL, for the feed: read-only, a bounded stretch at a time."""
