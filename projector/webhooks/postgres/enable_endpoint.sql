-- Endpoint $1 takes deliveries again, whatever it answered before.
UPDATE views.webhook_endpoint
SET disabled_at = NULL, disabled_reason = NULL, notified_at = NULL, failing_since = NULL, throttled_until = NULL
WHERE endpoint_id = $1
