-- How far the relay has published the log.
SELECT coalesce(max(log_position), 0) FROM catalogue.relay_cursor
