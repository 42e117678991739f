-- The group has these places now; one that was ordered anew meanwhile stays.
-- $1 projection, $2 topic, then one element a partition: $3 partitions, $4 next offsets
DELETE FROM views.starting_place AS place
USING unnest($3::int[], $4::bigint[]) AS taken(partition, next_offset)
WHERE place.projection = $1 AND place.topic = $2
  AND place.partition = taken.partition AND place.next_offset = taken.next_offset
