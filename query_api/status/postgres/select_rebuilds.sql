-- How far the rebuild of each projection is that has a record of one.
SELECT projection, phase, target_position, reached_position, events_done, started_at, changed_at,
       extract(epoch FROM changed_at - started_at)::float8 AS elapsed_seconds,
       extract(epoch FROM clock_timestamp() - changed_at)::float8 AS silent_seconds
FROM views.rebuild
ORDER BY projection
