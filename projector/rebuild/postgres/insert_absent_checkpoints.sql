-- Inserts the checkpoints that do not exist yet. A batch that inserts one of them, too, waits until this
-- transaction ends, even if this transaction has deleted it again.
-- $1 projection, $2 topic, $3 number of partitions
INSERT INTO views.projection_checkpoint (projection, topic, partition, next_offset, log_position, log_id)
SELECT $1, $2, partition, 0, 0, '00000000-0000-0000-0000-000000000000'
FROM generate_series(0, $3::int - 1) AS partition
ON CONFLICT DO NOTHING
