-- The consumers of a projection load their places again, also if it has stopped. A paused one stays paused.
-- $1 projection, $2 reason
INSERT INTO views.projection_control AS control (projection, is_paused, reason) VALUES ($1, false, $2)
ON CONFLICT (projection) DO UPDATE
SET revision = control.revision + 1, changed_at = clock_timestamp(),
    reason = CASE WHEN control.is_paused THEN control.reason ELSE EXCLUDED.reason END
