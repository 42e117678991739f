-- The row of a name.
SELECT product_id, claim, is_held FROM sharding.names WHERE name = $1
