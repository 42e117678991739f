-- Ends the server process of a broken connection, so that it commits nothing more. Returns whether it still runs.
SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2
