-- Drop a view's shadow or previous tables.
-- $1 projection, $2 schema
SELECT views.drop_copy($1, $2)
