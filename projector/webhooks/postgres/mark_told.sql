-- The operators of the endpoints $1 know that they are disabled.
UPDATE views.webhook_endpoint SET notified_at = clock_timestamp() WHERE endpoint_id = ANY ($1::uuid[]) AND disabled_at IS NOT NULL
