-- A rebuild that begins anew has failed nowhere yet.
-- $1 projection
DELETE FROM views.rebuild_failure WHERE projection = $1
