-- One import, with the products that it rejected.
-- $1 import id
SELECT import_id, file, caller, started_at, finished_at, products, created, changed, unchanged, rejected, events,
       rejects::text AS rejects, rejects_left_out
FROM catalogue.imports
WHERE import_id = $1
