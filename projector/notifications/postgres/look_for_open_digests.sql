-- Whether any events wait for a digest, or any digest is neither sent nor given up nor a dead letter.
SELECT EXISTS (SELECT FROM views.notification_gathering WHERE digest_id IS NULL)
    OR EXISTS (
        SELECT FROM views.notification_digest
        WHERE state IN ('claimed', 'failed', 'refused', 'unknown')
          AND (parked_at IS NULL OR state = 'claimed' OR retry_at IS NOT NULL)
    )
