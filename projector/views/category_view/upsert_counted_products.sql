-- Write a batch of products with the place where they are counted; one that is as new or newer stays. Returns those
-- that were written, each with its old place (NULL: none), which the counts must be reduced by.
-- $1 product ids, $2 stream versions, $3 log positions, $4 statuses, $5 categories, $6 brands
INSERT INTO views.category_view_product AS held (
    product_id, stream_version, log_position, status, category, brand
)
SELECT product_id, stream_version, log_position, status, category, brand
FROM unnest($1::uuid[], $2::int[], $3::bigint[], $4::text[], $5::text[], $6::text[])
    AS row(product_id, stream_version, log_position, status, category, brand)
ORDER BY product_id
ON CONFLICT (product_id) DO UPDATE
SET stream_version = EXCLUDED.stream_version, log_position = EXCLUDED.log_position, status = EXCLUDED.status,
    category = EXCLUDED.category, brand = EXCLUDED.brand
WHERE held.stream_version < EXCLUDED.stream_version
RETURNING held.product_id, old.status, old.category, old.brand
