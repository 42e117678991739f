-- One page of all products of some statuses by name or by time of change, with the documents that fit the page's byte
-- limit. A walk along one index for each status, until a page is full: it passes by no product of another status. Drafts
-- and archived products often stand together, as they were imported.
--
-- `status <> 'deleted'` is not among the conditions, although no caller asks for such products: with it, PostgreSQL
-- could use the indexes that have all statuses, and takes them for as good.
--
-- Planning and result are as in list_products.sql, and the parameters have the same numbers.
SELECT
    page.product_id,
    page.name,
    page.updated_at,
    CASE
        WHEN sum(octet_length(page.document)) OVER running <= $15::bigint OR row_number() OVER running = 1
        THEN page.document
    END AS document
FROM (
    SELECT listed.*
    FROM unnest($1::text[]) AS wanted (status)
    CROSS JOIN LATERAL (
        SELECT product.product_id, product.name, product.updated_at, product.document
        FROM views.product_view AS product
        WHERE product.status = wanted.status
          AND ($7::timestamptz IS NULL OR product.updated_at > $7)
          -- Other filters are a matter of the statements that have them; these are NULL.
          AND $2::text IS NULL AND $3::text IS NULL AND $4::text IS NULL AND $5::uuid[] IS NULL AND $6::text IS NULL
          AND $8::text IS NULL AND $9::numeric IS NULL AND $10::numeric IS NULL
          AND ($13::uuid IS NULL OR CASE $11::text
                  WHEN 'name' THEN (product.name COLLATE "C", product.product_id) > ($12::text, $13)
                  WHEN '-name' THEN (product.name COLLATE "C", product.product_id) < ($12::text, $13)
                  WHEN 'updated_at' THEN
                      product.updated_at >= $12::text::timestamptz
                      AND (product.updated_at > $12::text::timestamptz OR product.product_id < $13)
                  ELSE
                      product.updated_at <= $12::text::timestamptz
                      AND (product.updated_at < $12::text::timestamptz OR product.product_id > $13)
              END)
        ORDER BY
            CASE WHEN $11 = 'name' THEN product.name END COLLATE "C",
            CASE WHEN $11 = 'name' THEN product.product_id END,
            CASE WHEN $11 = '-name' THEN product.name END COLLATE "C" DESC,
            CASE WHEN $11 = '-name' THEN product.product_id END DESC,
            CASE WHEN $11 = 'updated_at' THEN product.updated_at END,
            CASE WHEN $11 = 'updated_at' THEN product.product_id END DESC,
            CASE WHEN $11 = '-updated_at' THEN product.updated_at END DESC,
            CASE WHEN $11 = '-updated_at' THEN product.product_id END
        LIMIT $14::int
    ) AS listed
    ORDER BY
        CASE WHEN $11 = 'name' THEN listed.name END COLLATE "C",
        CASE WHEN $11 = 'name' THEN listed.product_id END,
        CASE WHEN $11 = '-name' THEN listed.name END COLLATE "C" DESC,
        CASE WHEN $11 = '-name' THEN listed.product_id END DESC,
        CASE WHEN $11 = 'updated_at' THEN listed.updated_at END,
        CASE WHEN $11 = 'updated_at' THEN listed.product_id END DESC,
        CASE WHEN $11 = '-updated_at' THEN listed.updated_at END DESC,
        CASE WHEN $11 = '-updated_at' THEN listed.product_id END
    LIMIT $14::int
) AS page
WINDOW running AS (ROWS UNBOUNDED PRECEDING)
