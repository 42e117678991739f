-- Deletes answers older than 24 hours, at most $1 of them; returns how many.
SELECT catalogue.purge_idempotency_keys($1)
