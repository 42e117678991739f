-- Marks digests as dead letters.
-- $1 digest ids
UPDATE views.notification_digest SET parked_at = clock_timestamp() WHERE digest_id = ANY ($1::uuid[])
