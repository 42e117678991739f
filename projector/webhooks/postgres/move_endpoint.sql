-- Endpoint $1 has gone from log position $2 to $3. No row: another process has moved it, or it takes no deliveries now.
UPDATE views.webhook_endpoint SET log_position = $3
WHERE endpoint_id = $1 AND log_position = $2 AND is_enabled AND disabled_at IS NULL
RETURNING log_position
