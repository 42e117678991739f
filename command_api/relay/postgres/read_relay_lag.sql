-- The relay's lag: its cursor, the number of unconfirmed events (rolled-back positions would count, but the append
-- leaves none), and the age of the oldest of them in seconds, by the clock that stamped it.
SELECT cursor_.log_position,
       greatest(coalesce(newest.position, 0) - cursor_.log_position, 0) AS events,
       greatest(coalesce(extract(epoch FROM clock_timestamp() - oldest.recorded_at), 0), 0)::float8 AS seconds
FROM (SELECT coalesce(max(log_position), 0) AS log_position FROM catalogue.relay_cursor WHERE relay = $1) AS cursor_
LEFT JOIN LATERAL (SELECT position FROM catalogue.events ORDER BY position DESC LIMIT 1) AS newest ON true
LEFT JOIN LATERAL (
    SELECT recorded_at FROM catalogue.events WHERE position > cursor_.log_position ORDER BY position LIMIT 1
) AS oldest ON true
