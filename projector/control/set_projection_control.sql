-- Pause or resume a projection; its consumers see the new revision within a second.
-- $1 projection, $2 whether it is paused, $3 reason
INSERT INTO views.projection_control AS control (projection, is_paused, reason)
VALUES ($1, $2, $3)
ON CONFLICT (projection) DO UPDATE
SET is_paused = EXCLUDED.is_paused, reason = EXCLUDED.reason, revision = control.revision + 1,
    changed_at = clock_timestamp()
