-- How far the log goes; 0 for an empty log. All of it will be published again.
SELECT coalesce(max(position), 0) FROM catalogue.events
