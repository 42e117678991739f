-- Orders a projection to park one record, with or without an error.
-- $1 projection, $2 topic, $3 partition, $4 offset, $5 reason
INSERT INTO views.park_order (projection, topic, partition, record_offset, reason)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (projection, topic, partition, record_offset) DO UPDATE SET reason = EXCLUDED.reason
