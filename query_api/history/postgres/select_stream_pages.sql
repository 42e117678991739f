-- Events of several products, each in the order of its stream, and from above a version of its own.
-- $1 product ids, $2 above these versions, $3 up to these versions, $4 events at most of each, $5 bytes of data at most of each
SELECT asked.place, page.*
FROM unnest($1::uuid[], $2::int[], $3::int[]) WITH ORDINALITY AS asked(product_id, above_version, up_to_version, place)
CROSS JOIN LATERAL catalogue.stream_page(asked.product_id, asked.above_version, asked.up_to_version, $4, $5) AS page
