-- Write a batch of states, one per product; a row that is as new or newer stays. The published version does not change.
-- $1 product ids, $2 partitions, $3 stream versions, $4 log positions, $5 recorded at, $6 documents
INSERT INTO views.product_state AS held (
    product_id, partition, stream_version, log_position, recorded_at, document
)
SELECT product_id, partition, stream_version, log_position, recorded_at, document
FROM unnest($1::uuid[], $2::int[], $3::int[], $4::bigint[], $5::timestamptz[], $6::bytea[])
    AS row(product_id, partition, stream_version, log_position, recorded_at, document)
ON CONFLICT (product_id) DO UPDATE
SET stream_version = EXCLUDED.stream_version, log_position = EXCLUDED.log_position,
    recorded_at = EXCLUDED.recorded_at, document = EXCLUDED.document, saved_at = clock_timestamp()
WHERE held.stream_version < EXCLUDED.stream_version
