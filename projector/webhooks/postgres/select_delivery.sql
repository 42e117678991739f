-- Delivery $2 of endpoint $1.
SELECT product_id, webhook_id, event_type, log_position, event_time, state, body
FROM views.webhook_delivery
WHERE delivery_id = $2 AND endpoint_id = $1
