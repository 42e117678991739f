-- How far the log reaches; 0 when it is empty.
SELECT coalesce(max(position), 0) FROM catalogue.events
