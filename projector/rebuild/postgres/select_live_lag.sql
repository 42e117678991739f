-- How many events a projection is behind, by what its consumers told a moment ago; 0 where none runs.
-- $1 projection
SELECT coalesce(sum(lag_events), 0)::bigint
FROM views.projection_lag
WHERE projection = $1 AND measured_at > clock_timestamp() - interval '10 seconds'
