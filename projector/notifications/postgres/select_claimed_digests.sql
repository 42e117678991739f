-- The digests that a claim has.
-- $1 claim id
SELECT digest_id, recipient, attempts, made_at
FROM views.notification_digest
WHERE state = 'claimed' AND claim_id = $1
ORDER BY recipient
