-- Waits for the other migrator. The same key as in try_migration_lock.sql.
SELECT pg_advisory_lock(30796665482998885)
