-- The server process of this connection; the start time distinguishes it from a later one with the same pid.
SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()
