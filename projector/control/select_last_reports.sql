-- What was told last of each partition, and whether the process that reads it told that just now.
-- $1 projection, $2 topic, $3 age in seconds up to which a report is of now, $4 how the trouble of a process begins that
-- reads nothing
SELECT partition, next_offset,
       measured_at > clock_timestamp() - make_interval(secs => $3::float8)
       AND NOT coalesce(starts_with(trouble, $4), false) AS is_by_reader
FROM views.projection_lag
WHERE projection = $1 AND topic = $2
