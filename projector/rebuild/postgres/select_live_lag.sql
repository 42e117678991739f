-- How many events a projection is behind, as its consumers reported a moment ago; 0 if none runs.
-- $1 projection
SELECT coalesce(sum(lag_events), 0)::bigint
FROM views.projection_lag
WHERE projection = $1 AND measured_at > clock_timestamp() - interval '10 seconds'
