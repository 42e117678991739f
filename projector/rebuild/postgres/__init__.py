"""The log scan, the record of a rebuild, and shadow tables in PostgreSQL."""
