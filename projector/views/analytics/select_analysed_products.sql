-- The states of some products, for their next facts.
-- $1 product ids
SELECT product_id, stream_version, is_deleted, category, brand, prices
FROM views.analytics_product
WHERE product_id = ANY ($1::uuid[])
