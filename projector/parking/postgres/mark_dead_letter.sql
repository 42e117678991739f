-- A single record was retried and has failed for this cause.
-- $1 projection, $2 its id, $3 error class, $4 cause
UPDATE views.parked_event SET error_class = $3, cause = $4 WHERE projection = $1 AND parked_event_id = $2
