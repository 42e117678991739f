-- The states of some products.
-- $1 product ids
SELECT product_id, stream_version, recorded_at, document
FROM views.product_state
WHERE product_id = ANY ($1::uuid[])
