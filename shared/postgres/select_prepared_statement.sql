-- Whether the session that answers has a prepared statement of this name: a pooler that tracks them has renamed it.
-- $1 name
SELECT EXISTS (SELECT FROM pg_prepared_statements WHERE name = $1)
