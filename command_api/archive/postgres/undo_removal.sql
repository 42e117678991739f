-- The partition is back, in the transaction that attaches it.
WITH back AS (
    DELETE FROM catalogue.gone_streams WHERE partition_name = $1
)
UPDATE catalogue.archived_partitions SET removing_at = NULL, removed_at = NULL WHERE partition_name = $1
