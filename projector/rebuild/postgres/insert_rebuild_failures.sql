-- Stores products that a rebuild could not fold to the end; the first failure stays.
-- $1 projection, then one element a product: $2 product ids, $3 stream versions, $4 error classes, $5 causes
INSERT INTO views.rebuild_failure (projection, product_id, stream_version, error_class, cause)
SELECT $1, product_id, stream_version, error_class, cause
FROM unnest($2::uuid[], $3::int[], $4::text[], $5::text[]) AS failed(product_id, stream_version, error_class, cause)
ORDER BY product_id
ON CONFLICT (projection, product_id) DO NOTHING
