-- Where some products are counted.
-- $1 product ids
SELECT product_id, stream_version, status, category, brand
FROM views.category_view_product
WHERE product_id = ANY ($1::uuid[])
