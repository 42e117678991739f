-- Endpoints that take deliveries.
SELECT endpoint_id, stream_version, document::text AS document, log_position
FROM views.webhook_endpoint
WHERE is_enabled AND disabled_at IS NULL
ORDER BY endpoint_id
