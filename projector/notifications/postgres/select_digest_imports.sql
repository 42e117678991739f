-- The first imports of a digest, and how many there are.
-- $1 digest id, $2 how many are shown
SELECT import_id, count(*) OVER ()::int AS imports
FROM (
    SELECT import_id, min(opened_at) AS opened_at FROM views.notification_gathering
    WHERE digest_id = $1 AND import_id <> ''
    GROUP BY import_id
) AS import
ORDER BY opened_at, import_id
LIMIT $2::int
