-- Which products are parked in some partitions of a topic.
-- $1 projection, $2 topic, $3 partitions
SELECT product_id
FROM views.parked_product
WHERE projection = $1 AND topic = $2 AND partition = ANY ($3::int[])
