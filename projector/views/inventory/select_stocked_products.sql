-- Which SKUs some products have.
-- $1 product ids
SELECT product_id, stream_version, is_deleted, opened_at
FROM views.inventory_product
WHERE product_id = ANY ($1::uuid[])
