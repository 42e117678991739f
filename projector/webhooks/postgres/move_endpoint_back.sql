-- Endpoint $1 gets the events after log position $2, unless it is before it anyway.
UPDATE views.webhook_endpoint SET log_position = least(log_position, $2) WHERE endpoint_id = $1
