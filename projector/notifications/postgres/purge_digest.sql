-- Deletes the oldest digest that was settled long ago, with the rows that keep its events out of other mails.
-- $1 days
WITH old AS (
    SELECT digest_id FROM views.notification_digest
    WHERE state IN ('sent', 'discarded') AND settled_at < clock_timestamp() - make_interval(days => $1::int)
    ORDER BY settled_at
    LIMIT 1
    FOR UPDATE SKIP LOCKED
), gathering AS (
    DELETE FROM views.notification_gathering AS gathering USING old
    WHERE gathering.digest_id = old.digest_id
    RETURNING gathering.gathering_id
), deleted_rows AS (
    DELETE FROM views.notification USING gathering WHERE notification.gathering_id = gathering.gathering_id
)
DELETE FROM views.notification_digest AS digest USING old WHERE digest.digest_id = old.digest_id
RETURNING digest.digest_id
