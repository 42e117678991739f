-- Which records of some partitions an operator ordered to park.
-- $1 projection, $2 topic, $3 partitions
SELECT partition, record_offset, reason
FROM views.park_order
WHERE projection = $1 AND topic = $2 AND partition = ANY ($3::int[])
