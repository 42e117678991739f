-- Rows that differ between a view and its shadow.
-- $1 projection, $2 buckets, $3 products to leave out, $4 how many at most a table
SELECT table_name, row_key, live, shadow FROM views.differences($1, $2::int[], $3::uuid[], $4)
