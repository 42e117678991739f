-- How far the rebuild of each projection is; one that has switched its view is over.
-- $1 the phase after the switch
SELECT projection, target_position, reached_position, events_done,
       extract(epoch FROM clock_timestamp() - changed_at)::float8
FROM views.rebuild
WHERE phase <> $1
