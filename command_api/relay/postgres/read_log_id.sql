-- The id of this log; every record carries it as ce_logid.
SELECT log_id FROM catalogue.event_log
