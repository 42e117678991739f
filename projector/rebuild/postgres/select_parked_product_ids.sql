-- All products of a projection that are parked.
-- $1 projection
SELECT product_id FROM views.parked_product WHERE projection = $1
