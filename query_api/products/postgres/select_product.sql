-- One product by id; a deleted product is a row without a document.
SELECT product_id, stream_version, document
FROM views.product_view
WHERE product_id = $1
