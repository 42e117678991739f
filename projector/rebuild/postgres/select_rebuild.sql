-- How far a projection's rebuild is.
-- $1 projection
SELECT projection, phase, log_id, target_position, reached_position, slices, slices_done, events_done, generation,
       made_by, proof, checkpoints, started_at, changed_at
FROM views.rebuild
WHERE projection = $1
