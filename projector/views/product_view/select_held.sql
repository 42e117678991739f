-- What the view holds of some products.
-- $1 product ids
SELECT product_id, stream_version, document
FROM views.product_view
WHERE product_id = ANY ($1::uuid[])
