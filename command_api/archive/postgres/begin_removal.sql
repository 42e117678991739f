-- From this commit on the products of a partition have no stream, and readers of the log stop at the missing positions.
WITH gone AS (
    INSERT INTO catalogue.gone_streams (product_id, partition_name)
    SELECT DISTINCT event.product_id, $1
    FROM catalogue.archived_partitions archived
    JOIN catalogue.events event
        ON event.position >= archived.lower_position AND event.position < archived.upper_position
    WHERE archived.partition_name = $1
    ON CONFLICT DO NOTHING
)
UPDATE catalogue.archived_partitions SET removing_at = now() WHERE partition_name = $1
