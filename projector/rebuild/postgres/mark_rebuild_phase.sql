-- Moves the rebuild to another phase.
-- $1 projection, $2 phase, $3 result of the comparison or NULL to keep it, $4 checkpoints of the live view or NULL to keep them
UPDATE views.rebuild
SET phase = $2, proof = coalesce($3, proof), checkpoints = coalesce($4, checkpoints), changed_at = clock_timestamp()
WHERE projection = $1
