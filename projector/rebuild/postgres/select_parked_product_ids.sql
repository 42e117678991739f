-- All parked products of a projection.
-- $1 projection
SELECT product_id FROM views.parked_product WHERE projection = $1
