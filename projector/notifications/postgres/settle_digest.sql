-- Stores the outcome of a claimed digest; no effect if it was claimed again or discarded since.
-- $1 digest id, $2 claim id, $3 state, $4 cause or NULL, $5 seconds until it is tried again or NULL
UPDATE views.notification_digest
SET state = $3, cause = $4, settled_at = clock_timestamp(),
    retry_at = clock_timestamp() + make_interval(secs => $5::float8)
WHERE digest_id = $1 AND claim_id = $2 AND state IN ('claimed', 'unknown')
