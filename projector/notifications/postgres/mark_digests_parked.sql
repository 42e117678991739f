-- They are dead letters from now on.
-- $1 digest ids
UPDATE views.notification_digest SET parked_at = clock_timestamp() WHERE digest_id = ANY ($1::uuid[])
