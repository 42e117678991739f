-- Whether any events wait for a digest, or any digest is neither sent nor given up nor a dead letter; and whether
-- anything is to be done about them now.
SELECT EXISTS (SELECT FROM views.notification_gathering WHERE digest_id IS NULL) OR unfinished.is_any AS waits,
       EXISTS (
           SELECT FROM views.notification_gathering WHERE digest_id IS NULL AND due_at <= clock_timestamp()
       ) OR unfinished.is_any AS is_due
FROM (
    SELECT EXISTS (
        SELECT FROM views.notification_digest
        WHERE state IN ('claimed', 'failed', 'refused', 'unknown')
          AND (parked_at IS NULL OR state = 'claimed' OR retry_at IS NOT NULL)
    ) AS is_any
) AS unfinished
