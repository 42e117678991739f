-- Which log this is; goes into every record's ce_logid.
SELECT log_id FROM catalogue.event_log
