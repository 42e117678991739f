-- Ends the sessions of relays of this log, and with them their lock. A relay connects again, and waits for the lock.
-- Only sessions of our own role can be ended.
SELECT count(*) FILTER (WHERE pg_terminate_backend(pid))::int
FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND application_name = $1 AND pid <> pg_backend_pid()
