-- Of which log the position is that a projection has reported: after a restore that lost events, other events get the
-- positions of the lost ones. NULL: nothing was applied yet, or a release before this one reported it.
ALTER TABLE views.projection_lag ADD COLUMN log_id uuid;

UPDATE views.projection_lag
SET log_id = (
    SELECT log_id FROM views.projection_checkpoint
    WHERE log_id <> '00000000-0000-0000-0000-000000000000'
    ORDER BY updated_at DESC
    LIMIT 1
)
WHERE log_position > 0;
