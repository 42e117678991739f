-- Claims one digest for an operator, or again after a lost answer. No row: its state does not allow it.
-- $1 digest id, $2 states, $3 claim id
UPDATE views.notification_digest
SET state = 'claimed', claim_id = $3, attempts = attempts + 1, claimed_at = clock_timestamp(), settled_at = NULL,
    cause = NULL, retry_at = NULL
WHERE digest_id = $1 AND (state = ANY ($2::text[]) OR (state = 'claimed' AND claim_id = $3))
RETURNING digest_id, recipient, attempts, made_at
