-- Make a digest of what is due, one a recipient, and claim it. Not while an earlier digest of that recipient is still
-- to be sent, and not sooner after the last one than a window is long. A burst that a digest tells of closes the next
-- window to single mails. Whoever plans mails for a recipient at this moment is not waited for.
-- $1 recipients, $2 seconds of a window, $3 single mails in a window at most, $4 claim id, $5 digests at most
WITH due AS (
    SELECT pace.recipient, gen_random_uuid() AS digest_id
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
    RETURNING gathering.recipient, gathering.import_id
), paced AS (
    UPDATE views.notification_pace AS pace
    SET digest_not_before = clock_timestamp() + make_interval(secs => $2::float8),
        window_ends_at = CASE WHEN due.has_burst
            THEN clock_timestamp() + make_interval(secs => $2::float8) ELSE pace.window_ends_at END,
        single_mails = CASE WHEN due.has_burst THEN $3::int ELSE pace.single_mails END
    FROM (
        SELECT recipient,
               EXISTS (SELECT FROM taken WHERE taken.recipient = due.recipient AND taken.import_id = '') AS has_burst
        FROM due
    ) AS due
    WHERE pace.recipient = due.recipient
)
INSERT INTO views.notification_digest (digest_id, recipient, state, claim_id)
SELECT digest_id, recipient, 'claimed', $4::uuid FROM due
