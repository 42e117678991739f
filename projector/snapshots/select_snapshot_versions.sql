-- The versions of a product at which code with this fold has a snapshot.
-- $1 product id, $2 the fold
SELECT stream_version FROM views.product_snapshot WHERE product_id = $1 AND fold = $2 ORDER BY stream_version
