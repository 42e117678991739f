-- Stores how far behind the projections of a process are, by partition, as their consumers measured it now. A position
-- only grows, but a position of another log replaces it.
-- One element for each partition of each projection: $1 projections, $2 topics, $3 partitions, $4 log positions,
-- $5 next offsets, $6 lags in events, $7 lags in seconds, $8 troubles, $9 log ids or NULL
INSERT INTO views.projection_lag AS lag (
    projection, topic, partition, log_position, next_offset, lag_events, lag_seconds, trouble, log_id
)
SELECT projection, topic, partition, log_position, next_offset, lag_events, lag_seconds, trouble, log_id
FROM unnest(
    $1::text[], $2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::float8[], $8::text[], $9::uuid[]
) AS measured(
    projection, topic, partition, log_position, next_offset, lag_events, lag_seconds, trouble, log_id
)
ORDER BY projection, topic, partition
ON CONFLICT (projection, topic, partition) DO UPDATE
SET log_position = CASE WHEN lag.log_id <> EXCLUDED.log_id THEN EXCLUDED.log_position
                        ELSE greatest(lag.log_position, EXCLUDED.log_position) END,
    log_id = coalesce(EXCLUDED.log_id, lag.log_id), next_offset = EXCLUDED.next_offset,
    lag_events = EXCLUDED.lag_events, lag_seconds = EXCLUDED.lag_seconds, trouble = EXCLUDED.trouble,
    measured_at = clock_timestamp()
