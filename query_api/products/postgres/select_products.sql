-- Several products by id; a deleted one is a row without a document. A row of a replica may be old.
-- $1 product ids
SELECT product_id, stream_version, document, pg_is_in_recovery() AS may_be_old
FROM views.product_view
WHERE product_id = ANY ($1::uuid[])
