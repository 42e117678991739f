-- Names with a claim that is not confirmed.
SELECT name FROM sharding.names WHERE NOT is_held ORDER BY name
