-- Notes that a partition is in a file; one that was archived before is the same.
INSERT INTO catalogue.archived_partitions (partition_name, lower_position, upper_position, events, sha256)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (partition_name) DO UPDATE SET events = excluded.events, sha256 = excluded.sha256, archived_at = now()
