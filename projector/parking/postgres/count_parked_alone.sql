-- How many records are parked alone.
-- $1 projection
SELECT count(*)::int FROM views.parked_event WHERE projection = $1 AND product_id IS NULL
