-- Deletes the record of a projection's rebuild.
-- $1 projection
WITH failures AS (
    DELETE FROM views.rebuild_failure WHERE projection = $1
)
DELETE FROM views.rebuild WHERE projection = $1
