-- Which event log this is.
SELECT log_id FROM catalogue.event_log
