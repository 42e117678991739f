-- Which versions of some products are parked.
-- $1 projection, $2 product ids
SELECT product_id, stream_version FROM views.parked_event WHERE projection = $1 AND product_id = ANY ($2::uuid[])
