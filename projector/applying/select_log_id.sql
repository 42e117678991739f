-- The id of this event log.
SELECT log_id FROM catalogue.event_log
