-- Makes and claims a digest of the events that are due, one for each recipient. Not while an earlier digest is still
-- to be sent, and not sooner after the last one than a window is long. A burst closes the next
-- window to single mails: then it has one more of them than there may be. It is over when a closed window had no more
-- events than a window has single mails. A recipient whose mails are being planned at this moment is skipped.
-- $1 recipients, $2 seconds of a window, $3 single mails in a window at most, $4 claim id, $5 digests at most
WITH due AS (
    SELECT pace.recipient, pace.single_mails > $3::int AS was_closed, gen_random_uuid() AS digest_id
    FROM views.notification_pace AS pace
    WHERE pace.recipient = ANY ($1::text[])
      AND pace.digest_not_before <= clock_timestamp()
      AND EXISTS (
          SELECT FROM views.notification_gathering AS open
          WHERE open.recipient = pace.recipient AND open.digest_id IS NULL AND open.due_at <= clock_timestamp()
      )
      AND NOT EXISTS (
          SELECT FROM views.notification_digest AS earlier
          WHERE earlier.recipient = pace.recipient
            AND (earlier.state = 'claimed' OR (earlier.state = 'failed' AND earlier.retry_at IS NOT NULL))
      )
    ORDER BY pace.recipient
    LIMIT $5::int
    FOR UPDATE OF pace SKIP LOCKED
), taken AS (
    UPDATE views.notification_gathering AS gathering
    SET digest_id = due.digest_id
    FROM due
    WHERE gathering.recipient = due.recipient AND gathering.digest_id IS NULL
      AND gathering.due_at <= clock_timestamp()
    RETURNING gathering.recipient, gathering.import_id, gathering.events
), paced AS (
    UPDATE views.notification_pace AS pace
    SET digest_not_before = clock_timestamp() + make_interval(secs => $2::float8),
        window_ends_at = CASE WHEN next.goes_on THEN clock_timestamp() + make_interval(secs => $2::float8)
                              WHEN NOT next.goes_on THEN clock_timestamp() ELSE pace.window_ends_at END,
        single_mails = CASE WHEN next.goes_on THEN $3::int + 1 ELSE pace.single_mails END
    FROM (
        -- NULL: only imports were taken, no burst.
        SELECT due.recipient,
               CASE WHEN burst.recipient IS NOT NULL THEN NOT due.was_closed OR burst.events > $3::int END AS goes_on
        FROM due
        LEFT JOIN taken AS burst ON burst.recipient = due.recipient AND burst.import_id = ''
    ) AS next
    WHERE pace.recipient = next.recipient
)
INSERT INTO views.notification_digest (digest_id, recipient, state, claim_id)
SELECT digest_id, recipient, 'claimed', $4::uuid FROM due
