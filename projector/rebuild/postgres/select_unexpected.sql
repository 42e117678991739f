-- Rows of a view that are not as the log says.
-- $1 projection, $2 products, or NULL for the tables that products share
SELECT table_name, row_key, live, expected FROM views.unexpected($1, $2::uuid[])
