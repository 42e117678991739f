-- Drop answers past their 24 hours, at most $1 of them; answers how many went.
SELECT catalogue.purge_idempotency_keys($1)
