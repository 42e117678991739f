-- Partitions whose removal has begun and has not ended: a job was killed.
SELECT partition_name FROM catalogue.archived_partitions
WHERE removing_at IS NOT NULL AND removed_at IS NULL ORDER BY lower_position
