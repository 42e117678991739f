-- Compare and set: returns no row if another relay has moved the cursor.
UPDATE catalogue.relay_cursor SET log_position = $3, updated_at = now()
WHERE relay = $1 AND log_position = $2
RETURNING log_position
