-- The oldest unpublished states of each of some partitions, as many as fit into so many bytes, but at least one of
-- each. Each with the number that waits in its partition, counted up to $2.
-- $1 partitions, $2 how many of each at most, $3 how many bytes of documents of each at most, $4 projection,
-- $5 topic of its events
SELECT product_id, stream_version, log_position, recorded_at, document,
       (SELECT log_id FROM views.projection_checkpoint AS checkpoint
        WHERE projection = $4 AND topic = $5 AND checkpoint.partition = asked.partition),
       asked.partition, waiting
FROM unnest($1::int[]) AS asked(partition)
CROSS JOIN LATERAL (
    SELECT *, count(*) OVER () AS waiting,
           sum(coalesce(octet_length(document), 0)) OVER oldest AS bytes, row_number() OVER oldest AS place
    FROM (
        SELECT product_id, stream_version, log_position, recorded_at, document
        FROM views.product_state AS state
        WHERE state.partition = asked.partition AND published_version < stream_version
        ORDER BY log_position
        LIMIT $2::int
    ) AS first_ones
    WINDOW oldest AS (ORDER BY log_position, product_id)
) AS measured
WHERE bytes <= $3::bigint OR place = 1
ORDER BY asked.partition, log_position, product_id
