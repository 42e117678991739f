-- End the server process of a broken connection, so that it can commit nothing more. Answers whether it still runs.
SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2
