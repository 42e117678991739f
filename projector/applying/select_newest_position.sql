-- The position of the newest event; 0 if the log is empty.
SELECT coalesce(max(position), 0) FROM catalogue.events
