-- The oldest unpublished states of a partition, as many as fit into so many bytes, but at least one. Each with the
-- number that waits, counted up to $2.
-- $1 partition, $2 how many at most, $3 how many bytes of documents at most, $4 projection, $5 topic of its events
SELECT product_id, stream_version, log_position, recorded_at, document,
       (SELECT log_id FROM views.projection_checkpoint WHERE projection = $4 AND topic = $5 AND partition = $1),
       waiting
FROM (
    SELECT *, count(*) OVER () AS waiting,
           sum(coalesce(octet_length(document), 0)) OVER oldest AS bytes, row_number() OVER oldest AS place
    FROM (
        SELECT product_id, stream_version, log_position, recorded_at, document
        FROM views.product_state
        WHERE partition = $1 AND published_version < stream_version
        ORDER BY log_position
        LIMIT $2::int
    ) AS first_ones
    WINDOW oldest AS (ORDER BY log_position, product_id)
) AS measured
WHERE bytes <= $3::bigint OR place = 1
ORDER BY log_position, product_id
