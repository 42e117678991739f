-- Begins a rebuild, in place of the record of an earlier one.
-- $1 projection, $2 log id, $3 target position, $4 slices, $5 version of the code that makes it, $6 generation of a cache
INSERT INTO views.rebuild (projection, phase, log_id, target_position, slices, made_by, generation)
VALUES ($1, 'loading', $2, $3, $4, $5, $6)
ON CONFLICT (projection) DO UPDATE
SET phase = EXCLUDED.phase, log_id = EXCLUDED.log_id, target_position = EXCLUDED.target_position,
    reached_position = 0, slices = EXCLUDED.slices, slices_done = '{}', events_done = 0,
    made_by = EXCLUDED.made_by, generation = EXCLUDED.generation, proof = '', checkpoints = '[]',
    started_at = clock_timestamp(), changed_at = clock_timestamp()
