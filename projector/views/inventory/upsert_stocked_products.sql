-- Write a batch of products with their SKUs; one that is as new or newer stays.
-- $1 product ids, $2 stream versions, $3 log positions, $4 whether deleted, $5 SKUs and since when, as JSON
INSERT INTO views.inventory_product AS held (product_id, stream_version, log_position, is_deleted, opened_at)
SELECT product_id, stream_version, log_position, is_deleted, opened_at
FROM unnest($1::uuid[], $2::int[], $3::bigint[], $4::bool[], $5::bytea[])
    AS row(product_id, stream_version, log_position, is_deleted, opened_at)
ORDER BY product_id
ON CONFLICT (product_id) DO UPDATE
SET stream_version = EXCLUDED.stream_version, log_position = EXCLUDED.log_position,
    is_deleted = EXCLUDED.is_deleted, opened_at = EXCLUDED.opened_at
WHERE held.stream_version < EXCLUDED.stream_version
