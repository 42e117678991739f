-- Endpoints that were disabled, and whose operators were not told.
SELECT endpoint_id, document ->> 'url' AS url, disabled_reason
FROM views.webhook_endpoint
WHERE disabled_at IS NOT NULL AND notified_at IS NULL
ORDER BY disabled_at
