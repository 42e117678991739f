-- The id of this log: files of another one are refused.
SELECT log_id FROM catalogue.event_log
