-- Discards a digest.
-- $1 digest id
UPDATE views.notification_digest
SET state = 'discarded', settled_at = clock_timestamp(), retry_at = NULL
WHERE digest_id = $1 AND state IN ('claimed', 'failed', 'refused', 'unknown')
