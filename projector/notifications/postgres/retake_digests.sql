-- Claims failed digests whose next attempt is due.
-- $1 recipients, $2 claim id, $3 digests at most
UPDATE views.notification_digest AS digest
SET state = 'claimed', claim_id = $2, attempts = attempts + 1, claimed_at = clock_timestamp(), settled_at = NULL,
    cause = NULL, retry_at = NULL
FROM (
    SELECT digest_id FROM views.notification_digest
    WHERE recipient = ANY ($1::text[]) AND state = 'failed' AND retry_at <= clock_timestamp()
    ORDER BY retry_at
    LIMIT $3::int
    FOR UPDATE SKIP LOCKED
) AS due
WHERE digest.digest_id = due.digest_id
