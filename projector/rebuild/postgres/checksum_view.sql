-- Count and hash of a view's rows by table and bucket, without some products.
-- $1 projection, $2 schema, $3 products to leave out
SELECT table_name, bucket, row_count, hash::text FROM views.digest($1, $2, $3::uuid[])
