-- Holds the places of the checkpoints that no batch has made yet: a batch that makes one of them waits until
-- this transaction ends, also after their deletion in it.
-- $1 projection, $2 topic, $3 number of partitions
INSERT INTO views.projection_checkpoint (projection, topic, partition, next_offset, log_position, log_id)
SELECT $1, $2, partition, 0, 0, '00000000-0000-0000-0000-000000000000'
FROM generate_series(0, $3::int - 1) AS partition
ON CONFLICT DO NOTHING
