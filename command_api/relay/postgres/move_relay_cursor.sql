-- Compare and set: no row when another relay has moved it since.
UPDATE catalogue.relay_cursor SET log_position = $3, updated_at = now()
WHERE relay = $1 AND log_position = $2
RETURNING log_position
