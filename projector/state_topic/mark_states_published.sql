-- The topic has these versions. Compared and set: for a row that a rebuild replaced meanwhile, with the same version
-- but another document, nothing is set.
-- $1 product ids, $2 stream versions, $3 SHA-256 of the documents, NULL for a deleted product
UPDATE views.product_state AS held
SET published_version = done.stream_version
FROM unnest($1::uuid[], $2::int[], $3::bytea[]) AS done(product_id, stream_version, digest)
WHERE held.product_id = done.product_id AND held.published_version < done.stream_version
  AND (held.stream_version > done.stream_version
       OR (held.stream_version = done.stream_version AND sha256(held.document) IS NOT DISTINCT FROM done.digest))
