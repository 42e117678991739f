-- The partition is gone.
UPDATE catalogue.archived_partitions SET removed_at = now() WHERE partition_name = $1
