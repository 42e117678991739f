-- Endpoint $1 is gone, and what waits for it is cancelled. Its deliveries are kept like others.
WITH lanes AS (DELETE FROM views.webhook_lane WHERE endpoint_id = $1),
deliveries AS (
    UPDATE views.webhook_delivery SET state = 'cancelled', settled_at = clock_timestamp(), body = NULL
    WHERE endpoint_id = $1 AND state = 'waiting'
)
DELETE FROM views.webhook_endpoint WHERE endpoint_id = $1
