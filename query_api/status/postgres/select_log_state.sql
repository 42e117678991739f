-- The log, how far its relay has published it, and whether a process has the relay's lock; one row. A replica has no locks of
-- the primary: NULL. The lag is that of the relay's own metric.
SELECT log.log_id, coalesce(newest.position, 0) AS position, relay.log_position AS relay_position,
       greatest(coalesce(newest.position, 0) - relay.log_position, 0) AS relay_lag_events,
       greatest(coalesce(extract(epoch FROM clock_timestamp() - oldest.recorded_at), 0), 0)::float8 AS relay_lag_seconds,
       extract(epoch FROM clock_timestamp() - relay.updated_at)::float8 AS relay_still_seconds,
       CASE WHEN NOT pg_is_in_recovery() THEN EXISTS (
           SELECT FROM pg_locks AS held
           WHERE held.locktype = 'advisory' AND held.granted
             AND held.classid = 7281044 AND held.objid = 3 AND held.objsubid = 2
             AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
       ) END AS relay_is_led
FROM catalogue.event_log AS log
CROSS JOIN (
    SELECT coalesce(max(log_position), 0) AS log_position, max(updated_at) AS updated_at FROM catalogue.relay_cursor
) AS relay
LEFT JOIN LATERAL (SELECT position FROM catalogue.events ORDER BY position DESC LIMIT 1) AS newest ON true
LEFT JOIN LATERAL (
    SELECT recorded_at FROM catalogue.events WHERE position > relay.log_position ORDER BY position LIMIT 1
) AS oldest ON true
