-- Some products as the view has them.
-- $1 product ids
SELECT product_id, stream_version, document
FROM views.product_view
WHERE product_id = ANY ($1::uuid[])
