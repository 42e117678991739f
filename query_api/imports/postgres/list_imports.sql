-- Imports, the newest first.
-- $1 and $2 when the last one of the page before was started, and its id (NULL: the first page), $3 how many at most
SELECT import_id, file, caller, started_at, finished_at, products, created, changed, unchanged, rejected, events
FROM catalogue.imports
WHERE $1::timestamptz IS NULL OR (started_at, import_id) < ($1, $2::text)
ORDER BY started_at DESC, import_id DESC
LIMIT $3::int
