-- Stores the products of new dead letters; one that is parked already keeps its cause and counts more events.
-- $1 projection, $2 topic, then one element a product: $3 product ids, $4 partitions, $5 error classes, $6 causes,
-- $7 numbers of events
INSERT INTO views.parked_product AS parked (projection, topic, product_id, partition, error_class, cause, events)
SELECT $1, $2, product_id, partition, error_class, cause, events
FROM unnest($3::uuid[], $4::int[], $5::text[], $6::text[], $7::int[])
    AS dead_letter(product_id, partition, error_class, cause, events)
ORDER BY product_id
ON CONFLICT (projection, product_id) DO UPDATE SET events = parked.events + EXCLUDED.events
