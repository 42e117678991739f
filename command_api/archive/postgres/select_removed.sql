-- The names of all removed partitions, the newest first: a restore goes back in time.
SELECT partition_name FROM catalogue.archived_partitions WHERE removed_at IS NOT NULL ORDER BY lower_position DESC
