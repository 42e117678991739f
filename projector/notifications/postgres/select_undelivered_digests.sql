-- Digests that are not tried again and are no dead letters yet.
-- $1 digests at most
SELECT digest.digest_id, digest.digest_number, digest.recipient, digest.state, digest.cause, digest.attempts,
       digest.made_at,
       (SELECT coalesce(sum(events), 0)::int FROM views.notification_gathering AS gathering
        WHERE gathering.digest_id = digest.digest_id) AS events
FROM views.notification_digest AS digest
WHERE digest.parked_at IS NULL
  AND (digest.state IN ('refused', 'unknown') OR (digest.state = 'failed' AND digest.retry_at IS NULL))
ORDER BY digest.digest_number
LIMIT $1::int
