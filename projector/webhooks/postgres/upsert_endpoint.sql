-- Endpoint $1 is what it is at stream version $2: document $3, enabled $4. A new one begins after log position $5.
INSERT INTO views.webhook_endpoint AS endpoint (endpoint_id, stream_version, document, is_enabled, log_position)
VALUES ($1, $2, $3::text::jsonb, $4, $5)
ON CONFLICT (endpoint_id) DO UPDATE
SET stream_version = EXCLUDED.stream_version, document = EXCLUDED.document, is_enabled = EXCLUDED.is_enabled
WHERE endpoint.stream_version <= EXCLUDED.stream_version
