-- Deletes the failures of an earlier rebuild.
-- $1 projection
DELETE FROM views.rebuild_failure WHERE projection = $1
