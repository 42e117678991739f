-- Stores the outcome of a claimed mail; no effect if it was claimed again or discarded since.
-- $1 event id, $2 recipient, $3 claim id, $4 state, $5 cause or NULL
UPDATE views.notification
SET state = $4, cause = $5, settled_at = clock_timestamp()
WHERE event_id = $1 AND recipient = $2 AND claim_id = $3 AND state IN ('claimed', 'unknown')
