-- Write a batch of rows, one per product; a row that is as new or newer stays.
-- $1 product ids, $2 stream versions, $3 log positions, $4 statuses, $5 slugs, $6 names, $7 brands,
-- $8 product types, $9 categories, $10 tags as array literals, $11 created at, $12 updated at, $13 documents
INSERT INTO views.product_view AS held (
    product_id, stream_version, log_position, status, slug, name, brand, product_type, category, tags,
    created_at, updated_at, document
)
SELECT product_id, stream_version, log_position, status, slug, name, brand, product_type, category,
       tags::text[], created_at, updated_at, document
FROM unnest(
    $1::uuid[], $2::int[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::bytea[]
) AS row(
    product_id, stream_version, log_position, status, slug, name, brand, product_type, category, tags,
    created_at, updated_at, document
)
ON CONFLICT (product_id) DO UPDATE
SET stream_version = EXCLUDED.stream_version, log_position = EXCLUDED.log_position,
    status = EXCLUDED.status, slug = EXCLUDED.slug, name = EXCLUDED.name, brand = EXCLUDED.brand,
    product_type = EXCLUDED.product_type, category = EXCLUDED.category, tags = EXCLUDED.tags,
    updated_at = EXCLUDED.updated_at, document = EXCLUDED.document
WHERE held.stream_version < EXCLUDED.stream_version
