"""Claims, pacing and digests of mails in PostgreSQL."""
