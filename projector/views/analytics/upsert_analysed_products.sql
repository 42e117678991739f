-- Write a batch of products; one that is as new or newer stays. Returns those that were written, each with the
-- version up to which its facts were counted until now (NULL: none were).
-- $1 product ids, $2 stream versions, $3 log positions, $4 whether deleted, $5 categories, $6 brands, $7 prices
INSERT INTO views.analytics_product AS held (
    product_id, stream_version, log_position, is_deleted, category, brand, prices
)
SELECT product_id, stream_version, log_position, is_deleted, category, brand, prices
FROM unnest($1::uuid[], $2::int[], $3::bigint[], $4::bool[], $5::text[], $6::text[], $7::bytea[])
    AS row(product_id, stream_version, log_position, is_deleted, category, brand, prices)
ORDER BY product_id
ON CONFLICT (product_id) DO UPDATE
SET stream_version = EXCLUDED.stream_version, log_position = EXCLUDED.log_position,
    is_deleted = EXCLUDED.is_deleted, category = EXCLUDED.category, brand = EXCLUDED.brand,
    prices = EXCLUDED.prices
WHERE held.stream_version < EXCLUDED.stream_version
RETURNING held.product_id, old.stream_version AS counted_version
