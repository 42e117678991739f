-- Whether there is a previous view for a rollback.
-- $1 projection
SELECT count(*) > 0 AND bool_and(to_regclass(format('views_previous.%I', table_name)) IS NOT NULL)
FROM views.rebuildable_table
WHERE projection = $1
