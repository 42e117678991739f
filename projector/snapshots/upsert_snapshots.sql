-- Keep documents of one product; one of another log, which was restored, is replaced.
-- $1 product id, $2 the fold, $3 stream versions, $4 log positions, $5 documents
INSERT INTO views.product_snapshot (product_id, fold, stream_version, log_position, document)
SELECT $1, $2, stream_version, log_position, document
FROM unnest($3::int[], $4::bigint[], $5::bytea[]) AS row(stream_version, log_position, document)
ON CONFLICT (product_id, fold, stream_version) DO UPDATE
SET log_position = EXCLUDED.log_position, document = EXCLUDED.document
