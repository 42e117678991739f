-- Claims a mail: a new or planned one, one in a state from which it may be claimed again, or one that the same claim
-- has already, after a lost answer. No row: it cannot be claimed.
-- $1 event id, $2 recipient, $3 kind, $4 product id, $5 states, $6 claim id
INSERT INTO views.notification AS held (event_id, recipient, kind, product_id, state, claim_id)
VALUES ($1, $2, $3, $4, 'claimed', $6)
ON CONFLICT (event_id, recipient) DO UPDATE
SET state = 'claimed', claim_id = EXCLUDED.claim_id, attempts = held.attempts + (held.state <> 'planned')::int,
    claimed_at = clock_timestamp(), settled_at = NULL, cause = NULL
WHERE held.state = 'planned' OR held.state = ANY ($5::text[]) OR held.claim_id = EXCLUDED.claim_id
RETURNING attempts
