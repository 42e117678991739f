-- All names with their rows.
SELECT name, product_id, is_held FROM sharding.names ORDER BY name
