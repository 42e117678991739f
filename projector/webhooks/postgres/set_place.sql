-- The place is at change position $1 of another log, $2. No row: another process has set it.
UPDATE views.webhook_place SET change_position = $1, log_id = $2 WHERE log_id <> $2 RETURNING change_position
