-- The place moves from change position $3 to $1, in log $2. No row: another process has moved it.
INSERT INTO views.webhook_place AS place (change_position, log_id) VALUES ($1, $2)
ON CONFLICT (is_only) DO UPDATE SET change_position = EXCLUDED.change_position
WHERE place.change_position = $3 AND place.log_id = EXCLUDED.log_id
RETURNING change_position
