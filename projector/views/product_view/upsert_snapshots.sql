-- Keep documents of long streams; one of another log, which was restored, is replaced.
-- $1 product ids, $2 the fold, $3 stream versions, $4 log positions, $5 documents
INSERT INTO views.product_snapshot AS held (product_id, fold, stream_version, log_position, document)
SELECT product_id, $2::text, stream_version, log_position, document
FROM unnest($1::uuid[], $3::int[], $4::bigint[], $5::bytea[]) AS row(product_id, stream_version, log_position, document)
ON CONFLICT (product_id, fold, stream_version) DO UPDATE
SET log_position = EXCLUDED.log_position, document = EXCLUDED.document
WHERE (held.log_position, held.document) IS DISTINCT FROM (EXCLUDED.log_position, EXCLUDED.document)
