-- It is another log, which ends at position $1: what waits is of the old one, and endpoints go on at the end of the new one. Those
-- that are not in it stay disabled.
WITH lanes AS (DELETE FROM views.webhook_lane),
deliveries AS (
    UPDATE views.webhook_delivery SET state = 'cancelled', settled_at = clock_timestamp(), body = NULL WHERE state = 'waiting'
)
UPDATE views.webhook_endpoint SET log_position = $1, stream_version = 0, is_enabled = false
