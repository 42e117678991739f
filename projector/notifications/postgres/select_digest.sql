-- The state of a digest.
-- $1 digest id
SELECT state, cause FROM views.notification_digest WHERE digest_id = $1
